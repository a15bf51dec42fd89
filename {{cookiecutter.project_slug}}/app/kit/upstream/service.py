"""Another service that this one calls over HTTP."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit

from async_lru import alru_cache
from pydantic import BaseModel, ValidationError

from app.kit.upstream.results import UpstreamError
from app.kit.upstream.settings import UpstreamSettings

if TYPE_CHECKING:
    from app.kit.upstream.connections import Connections

AnswerT = TypeVar("AnswerT", bound=BaseModel)
CachedT = TypeVar("CachedT")
ParamsP = ParamSpec("ParamsP")
# Clients choose parameters: without a bound, cached answers could fill the memory.
CACHED_ANSWERS = 1000
# Wraps a call to a host; yields the headers that the call adds.
Around: TypeAlias = Callable[[str], AbstractContextManager[Mapping[str, str]]]


def unobserved(_host: str) -> AbstractContextManager[Mapping[str, str]]:
    """Measure nothing, and add no header."""
    return nullcontext({})


class Upstream:
    """Another service: its connections, a deadline for each answer, and a cache."""

    around: ClassVar[Around] = staticmethod(unobserved)

    def __init__(
        self,
        base_url: str,
        settings: UpstreamSettings,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._base_url = base_url
        self._host = urlsplit(base_url).hostname or ""  # the rest of the address may be private
        self._settings = settings
        self._headers = headers or {}

    @cached_property
    def _connections(self) -> "Connections":
        # Loaded with the first request: httpx2 and the certificates take 100 ms of the start.
        from app.kit.upstream.connections import Connections

        return Connections(self._base_url, self._settings.upstream_connections, self._headers)

    async def get(
        self, path: str, params: Mapping[str, str | int], answer: type[AnswerT]
    ) -> AnswerT:
        """Return the answer to a GET; raise ``UpstreamError``, or ``TimeoutError`` if it is late.

        The timeout is for the whole response. httpx2's timeouts restart with every byte that
        arrives (pydantic/httpx2 #557).
        """
        url = f"{self._base_url}{path}?{urlencode(params)}"
        with self.around(self._host) as headers:
            async with asyncio.timeout(self._settings.upstream_timeout_seconds):
                body = await self._connections.get(url, headers)
            try:
                return answer.model_validate_json(body)
            except ValidationError:
                raise UpstreamError("unexpected response") from None

    def cached(
        self, fetch: Callable[ParamsP, Coroutine[Any, Any, CachedT]]
    ) -> Callable[ParamsP, Coroutine[Any, Any, CachedT]]:
        """Cache successful responses for a while; concurrent callers share one call."""
        seconds = self._settings.upstream_cache_seconds
        if seconds == 0:
            return fetch
        return alru_cache(maxsize=CACHED_ANSWERS, ttl=seconds)(fetch)

    async def aclose(self) -> None:
        """Close the connections, if there are any."""
        if "_connections" in self.__dict__:
            await self._connections.aclose()
