"""The id that ties log lines, answers and outgoing calls of one request together."""

import re
from contextvars import ContextVar
from secrets import token_hex

HEADER = "X-Request-ID"
VALID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def choose_request_id(inbound: str) -> str:
    """Keep the caller's id if it is safe to repeat, or make a new one."""
    return inbound if VALID.fullmatch(inbound) else token_hex(16)
