"""Spans of the calls to other services, which carry the trace on."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.kit.upstream.results import UpstreamError
from app.kit.upstream.service import Upstream, unobserved

# Not the baggage of the caller: it could be anything, and other services are not ours.
PROPAGATOR = TraceContextTextMapPropagator()


@contextmanager
def tracing_upstream(tracer: Tracer) -> Generator[None]:
    """Trace each call, and send its ``traceparent``."""

    @contextmanager
    def call(host: str) -> Generator[Mapping[str, str]]:
        with tracer.start_as_current_span(
            "GET",
            kind=SpanKind.CLIENT,
            attributes={"http.request.method": "GET", "server.address": host},
            record_exception=False,  # their texts quote addresses
            set_status_on_exception=False,
        ) as span:
            headers: dict[str, str] = {}
            PROPAGATOR.inject(headers)
            try:
                yield headers
            except BaseException as error:
                span.set_attribute("error.type", error_type(error))
                span.set_status(StatusCode.ERROR)
                raise

    Upstream.around = staticmethod(call)
    try:
        yield
    finally:
        Upstream.around = staticmethod(unobserved)


def error_type(error: BaseException) -> str:
    """Return the status of a bad response, or the name of the error."""
    if isinstance(error, UpstreamError):
        return str(error.status or type(error.__cause__ or error).__name__)
    return type(error).__name__
