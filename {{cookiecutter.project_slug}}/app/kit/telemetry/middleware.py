"""Trace and time requests at half the cost of FastAPI's own telemetry, which is off.

FastAPI computes path, query and host for each span, which ``sampler.py`` would have to remove, and
sets the other attributes up to three times.
"""

from collections.abc import Mapping
from functools import lru_cache
from time import perf_counter

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from app.kit.http.middleware.access_log import route_template, status_of
from app.kit.telemetry.telemetry import Telemetry

# Not the baggage of the caller: it could be anything.
PROPAGATOR = TraceContextTextMapPropagator()
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
# Of OpenTelemetry's conventions, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
MOST_KINDS = 2_000  # of requests whose attributes are kept


class TelemetryMiddleware:
    """Make a span of each request, and count it by method, route and status.

    The conventions of both: https://opentelemetry.io/docs/specs/semconv/http/. A WebSocket has a
    span only. A request ends with the last part of its response.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self._tracer = telemetry.tracer if telemetry.is_tracing else None
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
        if scope["type"] == "lifespan" or not (self._tracer or self._is_measuring):
            await self.app(scope, receive, send)
            return
        scope.setdefault("fastapi", {})  # copies of the scope share it: routes show here
        is_counted = self._is_measuring and scope["type"] == "http"
        method, scheme = method_of(scope), scope.get("scheme", "http")
        if is_counted:
            self._active.add(1, active_attributes(method, scheme))
        since = perf_counter()
        span = start_span(self._tracer, scope, method) if self._tracer else None
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
            if span is not None:
                end_span(span, f"{method} {route}" if route else method, attributes)

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


def start_span(tracer: Tracer, scope: Scope, method: str) -> Span:
    """Start a span in the trace of the caller; the sampler looks at the path and removes it."""
    parent = Context()
    for name, value in scope["headers"]:
        if name == b"traceparent":
            parent = PROPAGATOR.extract({"traceparent": value.decode("latin-1")}, parent)
            break
    return tracer.start_span(method, parent, SpanKind.SERVER, {"url.path": scope["path"]})


def end_span(span: Span, name: str, attributes: Mapping[str, str | int]) -> None:
    """End a span with what is known now."""
    if span.is_recording():
        span.update_name(name)
        span.set_attributes(attributes)
        if "error.type" in attributes:
            span.set_status(StatusCode.ERROR)
        span.end()


def error_type(status: int, error: BaseException | None) -> str | None:
    """Return the name of an error or a status from 500 on; None if the request has succeeded."""
    if error is not None and not isinstance(error, WebSocketDisconnect):
        return type(error).__name__
    return str(status) if status >= 500 else None


@lru_cache(MOST_KINDS)
def active_attributes(method: str, scheme: str) -> Mapping[str, str]:
    """Return what is known of a request before it is answered."""
    return {
        "http.request.method": "_OTHER" if method == "HTTP" else method,
        "url.scheme": scheme,
    }


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
    return {name: value for name, value in every.items() if value}
