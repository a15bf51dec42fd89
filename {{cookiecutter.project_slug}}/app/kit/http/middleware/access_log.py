"""One log line per request, instead of the server's own."""

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.logging import log_fields

logger = logging.getLogger("app.access")


class AccessLogMiddleware:
    """Log method, route, status and duration. Paths are left out: they may hold personal data.

    A WebSocket is logged when it ends, with the method ``WEBSOCKET`` and, if it was accepted, the
    status 101.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        status = 0

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            status = status or status_of(message)
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            fields = {
                "method": scope.get("sent_method") or scope.get("method", "WEBSOCKET"),
                "route": route_template(scope),
                "status": status or 500,
                "duration_ms": round((perf_counter() - start) * 1000, 3),
            }
            log_fields(logger, "request", fields)


def status_of(message: Message) -> int:
    """Return the status that the server sends for an application's first message."""
    if "status" in message:
        return message["status"]
    return 101 if message["type"] == "websocket.accept" else 403


def route_template(scope: Scope) -> str | None:
    """Return the path as it was declared, prefixes included; None if no route matched."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(context or scope.get("route"), "path_format", None)
