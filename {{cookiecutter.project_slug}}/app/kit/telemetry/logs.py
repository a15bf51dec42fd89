"""Connect the lines of the log with their traces, and send them to a collector."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from math import isfinite
from time import time_ns
from traceback import format_tb
from types import TracebackType

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import get_current
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from opentelemetry.util.types import AnyValue

from app.kit.logging import JsonFormatter, encodable, encode

SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}
LARGEST = 2**63 - 1
# What these say of a failed export would be exported.
OWN = ("opentelemetry", "urllib3")
# Sent in fields of their own.
ELSEWHERE = {"time", "level", "message", "trace_id", "span_id"}


def mark(record: logging.LogRecord) -> bool:
    """Add the ids of the current span; an extra of the same name gets a prefix."""
    context = get_current_span().get_span_context()
    if context.is_valid:
        fields = vars(record)
        trace_id, span_id = format_trace_id(context.trace_id), format_span_id(context.span_id)
        for name, value in (("trace_id", trace_id), ("span_id", span_id)):
            if fields.get(name, value) != value:
                fields[f"extra_{name}"] = fields[name]
            fields[name] = value
    return True


@contextmanager
def marking_lines() -> Generator[None]:
    """Add ``trace_id`` and ``span_id`` to each line of a span."""
    handlers = tuple(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(mark)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(mark)


@contextmanager
def exporting_logs(provider: LoggerProvider) -> Generator[None]:
    """Give each line to the provider, too."""
    handler = ExportHandler(provider)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class FormatterWithoutTexts(JsonFormatter):
    """Shows errors by types and stacks; their texts quote values."""

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return the stack of an error, after those of the errors that led to it."""
        return stack(ei[1]) if ei[1] is not None else ""


def stack(error: BaseException) -> str:
    """Return the stacks of an error and of its causes, each with the type at its end."""
    last = "".join([*format_tb(error.__traceback__), type(error).__name__])
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return last if cause is None else f"{stack(cause)}\n\n{last}"


class ExportHandler(logging.Handler):
    """Sends what ``JsonFormatter`` writes, but no texts of errors."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider
        self._formatter = FormatterWithoutTexts()
        self.addFilter(lambda record: not record.name.startswith(OWN))

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line; never raise."""
        try:
            line = self._formatter.fields(record)
            attributes = {name: attribute(line[name]) for name in line.keys() - ELSEWHERE}
            self._provider.get_logger(record.name).emit(
                LogRecord(
                    timestamp=int(record.created * 1e9),
                    observed_timestamp=time_ns(),
                    context=get_current(),
                    severity_number=SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
                    severity_text=record.levelname,
                    body=attribute(line["message"]),
                    attributes=attributes,
                )
            )
        except Exception:  # noqa: BLE001 (an extra may be anything)
            self.handleError(record)


def attribute(value: object) -> AnyValue:
    """Return a value that OTLP can carry: other types as JSON."""
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= LARGEST:
            return value
        case float() if isfinite(value):
            return value
        case str():
            text = value
        case _:
            shown = encodable(value)
            text = shown if isinstance(shown, str) else encode(shown)
    return text.encode(errors="replace").decode()  # lone surrogates would break the batch
