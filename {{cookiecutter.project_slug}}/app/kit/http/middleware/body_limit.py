"""Limits of request bodies: their size, declared or not, and their transfer rate."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.problems import problem
from app.kit.http.settings import HttpSettings

# Close the connection, so that neither side has to transfer the rest of the body.
CLOSE = {"Connection": "close"}
SizeFromState = Callable[[Mapping[str, Any]], int]


@dataclass(frozen=True, kw_only=True)
class BodyLimit:
    """The maximum size of a body, and its minimum average rate after a grace period.

    Only the time that the service waits for the client counts. To give a route or a router its own
    limit, list it there: ``dependencies=[Depends(BodyLimit(max_bytes=5_000_000))]``. A size that
    depends on settings is a function of ``request.state``.
    """

    max_bytes: int | SizeFromState
    min_bytes_per_second: float = 5_000
    grace_seconds: float = 10

    async def __call__(self) -> None:
        """Do nothing: FastAPI calls dependencies when it has read the body."""

    def size(self, state: Mapping[str, Any]) -> int:
        """Return the maximum size in bytes."""
        return self.max_bytes if isinstance(self.max_bytes, int) else self.max_bytes(state)

    def seconds(self, received: int) -> float:
        """Return how long to wait in total for ``received`` bytes and the next part."""
        return self.grace_seconds + received / self.min_bytes_per_second


def default_body_limit(settings: HttpSettings) -> BodyLimit:
    """Return the limit of routes that declare none."""
    return BodyLimit(
        max_bytes=settings.max_body_bytes,
        min_bytes_per_second=settings.min_body_bytes_per_second,
    )


class BodyLimitMiddleware:
    """Answer 413 to a body that is too large, before reading all of it, and 408 to a slow one.

    FastAPI's own ``max_body_size`` answers in plain text, bypasses error handlers and middleware,
    and has no timeout.
    """

    def __init__(self, app: ASGIApp, *, default: BodyLimit) -> None:
        self.app = app
        self._default = default
        self._routes: list[BaseRoute] = []
        self._limits: list[tuple[RouteContext, BodyLimit]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = BoundedReceive(receive, partial(self._find_limit, scope), scope.get("state", {}))
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) and int(declared) > body.max_bytes:
            await problem(413, too_large(body.max_bytes), headers=CLOSE)(scope, receive, send)
            return
        await self.app(scope, body, send)

    def _find_limit(self, scope: Scope) -> BodyLimit:
        """Return the limit of this request's route, or the default."""
        app: FastAPI | None = scope.get("app")
        if app is not None and app.routes != self._routes:
            self._routes = list(app.routes)
            self._limits = declared_limits(app)
        matching = (limit for route, limit in self._limits if is_answered_by(route, scope))
        return next(matching, self._default)


class BoundedReceive:
    """Receive the body of one request within its limit."""

    def __init__(
        self, receive: Receive, find_limit: Callable[[], BodyLimit], state: Mapping[str, Any]
    ) -> None:
        self._receive = receive
        self._find_limit = find_limit  # called on demand: most requests have no body
        self._limit: BodyLimit | None = None
        self._state = state
        self._received = 0
        self._waited = 0.0
        self._is_complete = False

    @property
    def limit(self) -> BodyLimit:
        """The limit of the request's route."""
        if self._limit is None:
            self._limit = self._find_limit()
        return self._limit

    @property
    def max_bytes(self) -> int:
        """The maximum size of the body."""
        return self.limit.size(self._state)

    async def __call__(self) -> Message:
        """Return the next part; raise ``HTTPException`` if the body is too large or too slow."""
        if self._is_complete:  # only the client's disconnect can follow, at any time
            return await self._receive()
        before = monotonic()
        try:
            async with asyncio.timeout(self.limit.seconds(self._received) - self._waited):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, too_slow(self.limit), CLOSE) from None
        self._waited += monotonic() - before
        self._received += len(message.get("body", b""))
        if self._received > self.max_bytes:
            raise HTTPException(413, too_large(self.max_bytes), CLOSE)
        self._is_complete = not message.get("more_body", False)
        return message


def declared_limits(app: FastAPI) -> list[tuple[RouteContext, BodyLimit]]:
    """Return the limits that routes declare; of several, the one nearest to the route is first."""
    return [
        (route, dependency.dependency)
        for route in iter_route_contexts(app.routes)
        for dependency in reversed(getattr(route, "dependencies", []))
        if isinstance(dependency.dependency, BodyLimit)
    ]


def is_answered_by(route: RouteContext, scope: Scope) -> bool:
    """Return whether the route matches, with or without a trailing slash."""
    path = scope["path"]
    paths = (path, path[:-1] if path.endswith("/") else f"{path}/")
    return any(route.matches({**scope, "path": one})[0] is Match.FULL for one in paths)


def too_large(max_bytes: int) -> str:
    """Return the detail of a 413."""
    return f"the body is larger than {max_bytes} bytes"


def too_slow(limit: BodyLimit) -> str:
    """Return the detail of a 408."""
    return (
        f"request body too slow: after {limit.grace_seconds:g} seconds, it must arrive with at least "
        f"{limit.min_bytes_per_second:g} bytes per second on average"
    )
