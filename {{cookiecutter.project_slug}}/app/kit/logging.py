"""Logs as JSON, one object per line, on standard output, with the id of the request they belong to."""

import json
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

# Connects the log lines and the response of one request.
REQUEST_ID_HEADER = "X-Request-ID"
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# Attributes of a record that are no ``extra``; the last is uvicorn's message for terminals.
STANDARD = vars(logging.makeLogRecord({})).keys() | {"asctime", "message", "color_message"}
FIELDS = {"time", "level", "logger", "message", "pid", "request_id", "exception", "stack"}
# Made once: with arguments, json.dumps makes an encoder for each call.
encode = json.JSONEncoder(default=str, allow_nan=False).encode

logger = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """Write ``FIELDS`` and each ``extra``; an extra with the name of a field gets a prefix."""

    def __init__(self, pid: int | None = None) -> None:
        super().__init__()
        self._pid = pid

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; JSON escapes line breaks, so that no value can forge a second one."""
        line = self.fields(record)
        try:
            return encode(line)
        except Exception:  # noqa: BLE001 (an extra may be anything; the line must not be lost)
            return encode({str(name): encodable(value) for name, value in line.items()})

    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        """Return the fields of a line; an extra may have any type."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if self._pid is not None:
            line["pid"] = self._pid
        if (current := request_id.get()) is not None:
            line["request_id"] = current
        for name, value in vars(record).items():
            if name not in STANDARD:
                line[f"extra_{name}" if name in FIELDS else name] = value
        if isinstance(record.exc_info, tuple):
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return line


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 (not even for arguments that do not fit)
        return f"{encodable(record.msg)} {encodable(record.args)}"


def encodable(value: object) -> object:
    """Return the value, or its ``repr`` if JSON cannot encode it."""
    with suppress(Exception):
        encode(value)
        return value
    with suppress(Exception):
        return repr(value)
    return f"<{type(value).__name__}>"


def configure_logging(level: str, handler: logging.Handler | None = None) -> None:
    """Write the records of all loggers, warnings and uncaught exceptions to standard output."""
    if handler is None:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
    # Not in the lines, so do not look them up for each record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_thread


def run_logged(main: Callable[[], None]) -> None:
    """Run a program; also log the sentence of a ``SystemExit``."""
    configure_logging("INFO")  # until the settings are known
    try:
        main()
    except SystemExit as error:
        if isinstance(error.code, str):
            logger.critical(error.code)
            raise SystemExit(1) from None
        raise


def log_fields(logger: logging.Logger, message: str, fields: dict[str, object]) -> None:
    """Log at INFO without looking for the caller, which takes a sixth of the time of a line."""
    if logger.isEnabledFor(logging.INFO):
        record = logging.LogRecord(logger.name, logging.INFO, "", 0, message, None, None)
        vars(record).update(fields)
        logger.handle(record)


def describe(error: BaseException) -> str:
    """Return the error's text on one line, or its type if it has none, such as a timeout."""
    return " ".join(str(error).split()) or type(error).__name__


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical("uncaught exception", exc_info=(kind, error, trace))


def _log_unraisable(args: "sys.UnraisableHookArgs") -> None:
    """Log an error that could not be raised, such as one in ``__del__``."""
    message = args.err_msg or "exception ignored in"
    logger.error("%s %r", message, args.object, exc_info=args.exc_value)


def _log_thread(args: threading.ExceptHookArgs) -> None:
    if not issubclass(args.exc_type, SystemExit):
        extra = {"thread_name": args.thread.name if args.thread else None}
        logger.critical("a thread has crashed", exc_info=args.exc_value, extra=extra)
