"""One line per request, instead of the server's own."""

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("app.access")


class AccessLogMiddleware:
    """Log method, route, status and duration. Paths are left out: they may name people."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        status = 500

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            fields = {
                "method": scope.get("sent_method", scope["method"]),
                "route": route_template(scope),
                "status": status,
                "duration_ms": round((perf_counter() - start) * 1000, 3),
            }
            logger.info("request", extra={"fields": fields})


def route_template(scope: Scope) -> str | None:
    """Return the path as it was declared, prefixes included; None if no route matched."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(context or scope.get("route"), "path_format", None)
