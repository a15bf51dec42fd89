"""Logs as JSON, one object per line, on standard output; each names the request it is about."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

# Ties together what belongs to one request: its log lines and its answer, to begin with.
REQUEST_ID_HEADER = "X-Request-ID"
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# Made once: with a default, json.dumps makes an encoder for each call.
encode = json.JSONEncoder(default=str).encode


class JsonFormatter(logging.Formatter):
    """Write time (UTC), level, logger, message, request id and the record's ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; JSON escapes line breaks, so that nobody can forge a second one."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := request_id.get()) is not None:
            line["request_id"] = current
        line |= getattr(record, "fields", {})
        if isinstance(record.exc_info, tuple):
            line["exception"] = self.formatException(record.exc_info)
        return encode(line)


def configure_logging(level: str) -> None:
    """Send every logger's records, uvicorn's too, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    # Not in the lines, and looked up for each record otherwise; the last is the line of code.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=level, handlers=[handler], force=True)


def describe(error: BaseException) -> str:
    """Return the error's text on one line, or its type if it has none, as time-outs."""
    return " ".join(str(error).split()) or type(error).__name__
