"""Spans and durations of the calls to other services, which carry the trace on."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from time import perf_counter

from opentelemetry.metrics import Meter
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.kit.upstream.results import UpstreamError
from app.kit.upstream.service import Upstream, unobserved

# Not the baggage of the caller: it could be anything, and other services are not ours.
PROPAGATOR = TraceContextTextMapPropagator()


# Of OpenTelemetry's conventions, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


@contextmanager
def observing_upstream(tracer: Tracer, meter: Meter) -> Generator[None]:
    """Trace and time each call, and send its ``traceparent``."""
    duration = meter.create_histogram(
        "http.client.request.duration",
        unit="s",
        description="Duration of calls to other services, with their errors.",
        explicit_bucket_boundaries_advisory=BOUNDS,
    )

    @contextmanager
    def call(host: str) -> Generator[Mapping[str, str]]:
        attributes = {"http.request.method": "GET", "server.address": host}
        since = perf_counter()
        with tracer.start_as_current_span(
            "GET",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # their texts quote addresses
            set_status_on_exception=False,
        ) as span:
            headers: dict[str, str] = {}
            PROPAGATOR.inject(headers)
            try:
                yield headers
            except BaseException as error:
                attributes = {**attributes, "error.type": error_type(error)}
                span.set_attribute("error.type", attributes["error.type"])
                span.set_status(StatusCode.ERROR)
                raise
            finally:
                duration.record(perf_counter() - since, attributes)

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
