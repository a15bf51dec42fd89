"""An id for each request."""

import re
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.logging import REQUEST_ID_HEADER, request_id

ANSWERS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
VALID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class RequestIdMiddleware:
    """Accept a valid ``X-Request-ID`` or generate one; repeat it in the response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        current = choose_request_id(Headers(scope=scope).get(REQUEST_ID_HEADER, ""))
        # Never reset: the server gives each request a context of its own, and logs after this.
        request_id.set(current)

        async def send_with_id(message: Message) -> None:
            if message["type"] in ANSWERS:
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = current
            await send(message)

        await self.app(scope, receive, send_with_id)


def choose_request_id(inbound: str) -> str:
    """Return the client's id if it is safe to repeat, or a new one."""
    return inbound if VALID.fullmatch(inbound) else token_hex(16)
