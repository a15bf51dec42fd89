"""Limit the requests of each client."""

from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.problems import problem
from app.kit.http.state import lifespan_state
from app.kit.rate_limit.policy import Limiter, LimitStatus, Rule


class RateLimitMiddleware:
    """Answer 429 if a client sends more than ``rules`` allow, except below the path ``exempt``.

    Preflight requests do not get here: the CORS middleware, further out, answers them. Every
    response has the headers of draft-ietf-httpapi-ratelimit-headers-10.
    """

    def __init__(self, app: ASGIApp, *, rules: Sequence[Rule], exempt: str) -> None:
        self.app = app
        self._rules = rules
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (path := route_path(scope)).startswith(self._exempt):
            await self.app(scope, receive, send)
            return
        statuses = await self._count(lifespan_state(scope)["limiter"], path, client_of(scope))
        headers = describe(statuses)
        if not statuses[-1].is_allowed:
            await refusal(statuses[-1], headers)(scope, receive, send)
            return

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self.app(scope, receive, send_with_limits)

    async def _count(self, limiter: Limiter, path: str, client: str) -> list[LimitStatus]:
        """Apply the rules for this path, up to the first that rejects the request."""
        statuses: list[LimitStatus] = []
        for rule in self._rules:
            if rule.path in {None, path}:
                statuses.append(await limiter.count(rule, client))
                if not statuses[-1].is_allowed:
                    break
        return statuses


def route_path(scope: Scope) -> str:
    """Return the path as routes declare it: without the proxy's prefix and a trailing slash."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.rstrip("/").removesuffix("\n").rstrip("/")  # patterns that end with $ match it, too


def client_of(scope: Scope) -> str:
    """Name the client: an IPv4 address, or a /64, of which one IPv6 client has all addresses.

    Clients without an address, such as those of a unix socket, share one name.
    """
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))
    return host


def describe(statuses: list[LimitStatus]) -> dict[str, str]:
    """Return the headers with the limits and what is left of them."""
    policies = [f'"{s.rule.name}";q={s.rule.requests};w={s.rule.seconds}' for s in statuses]
    left = [f'"{s.rule.name}";r={s.remaining};t={s.reset_seconds}' for s in statuses]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}


def refusal(status: LimitStatus, headers: dict[str, str]) -> ASGIApp:
    """Return the 429 response."""
    rule, seconds = status.rule, status.reset_seconds
    detail = f"at most {rule.requests} requests in {rule.seconds} s; try again in {seconds} s"
    return problem(429, detail, headers=headers | {"Retry-After": str(seconds)})
