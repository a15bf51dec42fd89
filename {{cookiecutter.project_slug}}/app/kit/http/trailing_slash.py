"""Answer paths with and without a trailing slash."""

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


class TrailingSlashFallback:
    """Add or remove the trailing slash of a path that no route matches, and try again.

    A redirect would cost a round trip, and some clients drop the body or the credentials. The
    router calls this only when nothing matched, so declared paths cost nothing.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._not_found = router.default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        other = {**scope, "path": path[:-1] if path.endswith("/") else f"{path}/"}
        is_known = scope["type"] == "http" and any(
            route.matches(other)[0] is not Match.NONE for route in self._router.routes
        )
        if is_known:
            # In place, so that error handlers and the log see the path that was answered.
            scope["path"] = other["path"]
            await self._router(scope, receive, send)
        else:
            await self._not_found(scope, receive, send)
