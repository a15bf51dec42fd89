"""Check the origin of WebSocket handshakes, to which browsers do not apply CORS."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.http.problems import problem


class WebSocketOriginMiddleware:
    """Refuse handshakes from pages of other hosts, except for ``origins``.

    Clients that are not browsers send no ``Origin`` and are accepted.
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self.app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or self._is_allowed(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        refusal = problem(403, "pages of this origin may not open WebSockets here")
        await refusal(scope, receive, send)

    def _is_allowed(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        return urlsplit(origin).netloc == headers.get("host")
