"""Routes that are found without a walk through the routers they were included by."""

from collections.abc import Sequence

from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


class DirectRoute(BaseRoute):
    """A route of an included router, matched once.

    FastAPI matches such routes anew at each level of inclusion, which takes 60 to 120 µs. It goes on
    doing so for what is found here by no request: wrong paths, and wrong methods.
    """

    def __init__(self, context: RouteContext) -> None:
        self._context = context
        self.path, self.path_format = context.path, context.path_format
        self.methods = context.methods

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether this route answers the request."""
        match, found = self._context.matches(scope)
        if match is not Match.FULL:
            return Match.NONE, {}
        return match, {**found, "route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        await self._context.app(scope, receive, send)


def direct_routes(routes: Sequence[BaseRoute]) -> list[DirectRoute]:
    """Return a direct way to each API route of the included routers, in the order of inclusion."""
    included = [route for route in routes if not isinstance(route, APIRoute)]
    return [
        DirectRoute(context)
        for context in iter_route_contexts(included)
        if isinstance(context.original_route, APIRoute)
    ]
