"""The span of a request. The SDK's takes four times as long, mostly for parts that stay unused.

It builds on internals of the SDK. Delete this module when ``Tracer.start_span`` and ``Span.end``
take less than 5 microseconds together.
"""

from collections.abc import Mapping
from threading import Lock
from time import time_ns

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Span, Tracer
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

FAILED = Status(StatusCode.ERROR)


class RequestSpan(Span):
    """A span that does all that the SDK's does; its parts are made when they are used."""

    _kind = SpanKind.SERVER
    _status = Status()
    _end_time = None
    _instrumentation_info = None
    _record_end_metrics = None
    _record_exception = _set_status_on_exception = True

    def __init__(
        self, tracer: Tracer, name: str, context: SpanContext, parent: SpanContext | None
    ) -> None:
        self._name = name
        self._context = context
        self._parent = parent
        self._resource = tracer.resource
        self._instrumentation_scope = tracer._instrumentation_scope
        self._span_processor = tracer.span_processor
        self._limits = tracer._span_limits
        self._lock = Lock()
        self._start_time = time_ns()
        self._span_processor.on_start(self)

    def __getattr__(self, name: str) -> object:
        """Make what the owner of the service adds to first."""
        match name:
            case "_attributes":
                made: object = BoundedAttributes(
                    self._limits.max_span_attributes,
                    immutable=False,
                    max_value_len=self._limits.max_span_attribute_length,
                )
            case "_events":
                made = self._new_events()
            case "_links":
                made = self._new_links(())
            case _:
                raise AttributeError(name)
        setattr(self, name, made)
        return made

    def finish(self, name: str, attributes: Mapping[str, str | int], *, is_error: bool) -> None:
        """End the span with what is known now; the attributes may be shared by many."""
        own = vars(self)
        with self._lock:  # threads may add to the span until now
            if self._end_time is not None:  # the owner has ended it
                return
            self._end_time = time_ns()
            self._name = name
            if is_error and self._status.is_unset:
                self._status = FAILED
            if "_attributes" in own:
                own["_attributes"]._set_items(attributes)
            else:
                self._attributes = attributes
            own.setdefault("_events", ())
            own.setdefault("_links", ())
        self._span_processor.on_end(self)
