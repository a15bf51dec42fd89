"""One service that this one asks over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar
from urllib.parse import urlencode, urlsplit

from async_lru import alru_cache
from pydantic import BaseModel, ValidationError

from app.core.fan_out import FanOutSettings

if TYPE_CHECKING:
    from app.clients.connections import Connections

AnswerT = TypeVar("AnswerT", bound=BaseModel)
CachedT = TypeVar("CachedT")
ParamsP = ParamSpec("ParamsP")
# Cities come from clients: without a bound they could fill the memory.
CACHED_ANSWERS = 1000


class UpstreamError(Exception):
    """The other service failed; the text may be shown to clients."""

    def __init__(self, detail: str, *, is_transient: bool = False) -> None:
        super().__init__(detail)
        self.is_transient = is_transient


class Upstream:
    """The connections to one other service, with a deadline for each answer."""

    def __init__(
        self,
        base_url: str,
        connections: Callable[[], "Connections"],
        settings: FanOutSettings,
    ) -> None:
        parts = urlsplit(base_url)
        # Without credentials, which the connections send, so that no error quotes them.
        self._base_url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
        self._timeout_seconds = settings.upstream_timeout_seconds
        self._retries = settings.upstream_retries
        self._connections = connections

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        base_url: str,
        settings: FanOutSettings,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Self]:
        """Lend a pool of connections."""
        async with AsyncExitStack() as stack:

            @cache
            def connect() -> "Connections":
                # Loaded when first needed: aiohttp and the certificates take 100 ms of the start.
                from app.clients.connections import Connections

                connections = Connections(base_url, settings.upstream_connections, headers)
                stack.push_async_callback(connections.aclose)
                return connections

            yield cls(base_url, connect, settings)

    def url(self, path: str, params: Mapping[str, str | int]) -> str:
        """Return the address of a resource."""
        return f"{self._base_url}{path}?{urlencode(params)}"

    async def get(self, url: str, answer: type[AnswerT]) -> AnswerT:
        """Return the answer to a GET; raise ``UpstreamError``, or ``TimeoutError`` when it is late.

        Retries, if there are any, share the time of the one answer. They are safe because a GET
        changes nothing.
        """
        async with asyncio.timeout(self._timeout_seconds):
            body = await (self._retry(url) if self._retries else self._connections().get(url))
        try:
            return answer.model_validate_json(body)
        except ValidationError:
            raise UpstreamError("the answer is not what was expected") from None

    async def _retry(self, url: str) -> bytes:
        # Loaded, and passed through, only where it retries: 8 ms of the start, 160 µs of each call.
        import stamina

        caller = stamina.AsyncRetryingCaller(attempts=self._retries + 1)
        return await caller(_is_transient, self._connections().get, url)


def cached(
    fetch: Callable[ParamsP, Coroutine[Any, Any, CachedT]],
    settings: FanOutSettings,
) -> Callable[ParamsP, Coroutine[Any, Any, CachedT]]:
    """Keep good answers for a while; callers at the same time share one call."""
    if settings.upstream_cache_seconds == 0:
        return fetch
    return alru_cache(maxsize=CACHED_ANSWERS, ttl=settings.upstream_cache_seconds)(fetch)


def _is_transient(error: Exception) -> bool:
    return isinstance(error, UpstreamError) and error.is_transient
