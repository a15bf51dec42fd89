"""Paths with and without a slash at the end."""

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


class EitherSlash:
    """Answer a path that no route has as if its last slash were there, or were not.

    A redirect would cost clients a round trip, and some of them drop the body or the credentials.
    It is only asked when nothing else matched, so that it costs declared paths nothing.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._not_found = router.default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        twin = {**scope, "path": path[:-1] if path.endswith("/") else f"{path}/"}
        is_known = scope["type"] == "http" and any(
            route.matches(twin)[0] is not Match.NONE for route in self._router.routes
        )
        if is_known:
            # In place, so that error handlers and the log see the path that was answered.
            scope["path"] = twin["path"]
            await self._router(scope, receive, send)
        else:
            await self._not_found(scope, receive, send)
