"""Trace and time requests at a fraction of the cost of FastAPI's own telemetry, which is off.

FastAPI computes path, query and host for each span, which must not be sent, and sets the other
attributes up to three times.
"""

from collections.abc import Mapping
from functools import lru_cache
from time import perf_counter
from types import MappingProxyType

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from app.kit.http.middleware.access_log import route_template, status_of
from app.kit.telemetry.request_span import RequestSpan
from app.kit.telemetry.telemetry import Telemetry

# Not the baggage of the caller: it could be anything.
PROPAGATOR = TraceContextTextMapPropagator()
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
# Of OpenTelemetry's conventions, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
MOST_KINDS = 2_000  # of requests whose attributes are kept
FLAGS = [TraceFlags(bits) for bits in range(4)]


class TelemetryMiddleware:
    """Make a span of each request, and count it by method, route and status.

    The conventions of both: https://opentelemetry.io/docs/specs/semconv/http/. A WebSocket has a
    span only. A request ends with the last part of its response.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self._telemetry = telemetry if telemetry.is_tracing else None
        self._is_measuring = telemetry.is_measuring
        self._duration = telemetry.request_meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=BOUNDS,
        )
        self._active = telemetry.request_meter.create_up_down_counter(
            "http.server.active_requests", "{request}", "Requests that are being answered."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not (self._telemetry or self._is_measuring):
            await self.app(scope, receive, send)
            return
        scope.setdefault("fastapi", {})  # copies of the scope share it: routes show here
        is_counted = self._is_measuring and scope["type"] == "http"
        method, scheme = method_of(scope), scope.get("scheme", "http")
        span = start_span(self._telemetry, scope, method) if self._telemetry else None
        if is_counted:
            self._active.add(1, active_attributes(method, scheme))
        since = perf_counter()
        status = 0
        is_finished = False

        def finish(error: BaseException | None = None) -> None:
            nonlocal is_finished
            is_finished = True
            version, route = scope.get("http_version", ""), route_template(scope)
            failure = error_type(status, error)
            attributes = request_attributes(method, scheme, version, route, status, failure)
            if is_counted:
                self._duration.record(perf_counter() - since, attributes)
                self._active.add(-1, active_attributes(method, scheme))
            if isinstance(span, RequestSpan):
                name = f"{method} {route}" if route else method
                span.finish(name, attributes, is_error=failure is not None)

        async def send_noting_end(message: Message) -> None:
            nonlocal status
            status = status or status_of(message)
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                finish()

        token = None if span is None else attach(set_span_in_context(span))
        try:
            await self.app(scope, receive, send_noting_end)
        except BaseException as error:
            if not is_finished:
                finish(error)
            if isinstance(error, Exception):
                token = None  # the server logs it, with the ids of the span; then the task ends
            raise
        finally:
            if not is_finished:  # a WebSocket, or the client has left
                finish()
            if token is not None:
                detach(token)


def method_of(scope: Scope) -> str:
    """Return the method; HTTP instead of one that the client has made up, WS for a WebSocket."""
    if scope["type"] == "websocket":
        return "WS"
    return scope["method"] if scope["method"] in METHODS else "HTTP"


def start_span(telemetry: Telemetry, scope: Scope, method: str) -> RequestSpan | NonRecordingSpan:
    """Start a span in the trace of the caller, if there is one."""
    tracer, parent = telemetry.tracer, caller(scope)
    trace_id = parent.trace_id if parent else tracer.id_generator.generate_trace_id()
    is_untraced = scope["path"].startswith(telemetry.untraced)
    is_sampled = not is_untraced and telemetry.is_sampled(parent, trace_id)
    is_random = parent.trace_flags.random_trace_id if parent else True
    flags = is_sampled * TraceFlags.SAMPLED | is_random * TraceFlags.RANDOM_TRACE_ID
    id = tracer.id_generator.generate_span_id()
    context = SpanContext(trace_id, id, is_remote=False, trace_flags=FLAGS[flags])
    return RequestSpan(tracer, method, context, parent) if is_sampled else NonRecordingSpan(context)


def caller(scope: Scope) -> SpanContext | None:
    """Return the span that the header ``traceparent`` names, if it is valid."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            found = PROPAGATOR.extract({"traceparent": value.decode("latin-1")}, Context())
            parent = get_current_span(found).get_span_context()
            return parent if parent.is_valid else None
    return None


def error_type(status: int, error: BaseException | None) -> str | None:
    """Return the name of an error or a status from 500 on; None if the request has succeeded."""
    if error is not None and not isinstance(error, WebSocketDisconnect):
        return type(error).__name__
    return str(status) if status >= 500 else None


@lru_cache(MOST_KINDS)
def active_attributes(method: str, scheme: str) -> Mapping[str, str]:
    """Return what is known of a request before it is answered."""
    return MappingProxyType(
        {"http.request.method": "_OTHER" if method == "HTTP" else method, "url.scheme": scheme}
    )


@lru_cache(MOST_KINDS)
def request_attributes(
    method: str, scheme: str, version: str, route: str | None, status: int, error: str | None
) -> Mapping[str, str | int]:
    """Return the attributes of the span and of the duration; requests of one kind share them."""
    is_websocket = method == "WS"
    every = {
        **({"url.scheme": scheme} if is_websocket else active_attributes(method, scheme)),
        "network.protocol.name": "websocket" if is_websocket else None,
        "network.protocol.version": version,
        "http.route": route,
        "http.response.status_code": status,
        "error.type": error,
    }
    return MappingProxyType({name: value for name, value in every.items() if value})
