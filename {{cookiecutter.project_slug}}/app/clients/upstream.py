"""One service that this one asks over HTTP."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any, ParamSpec, Self, TypeVar

import httpx2
from async_lru import alru_cache
from pydantic import BaseModel, ValidationError

from app.core.fan_out import FanOutSettings
from app.core.request_id import HEADER, request_id

AnswerT = TypeVar("AnswerT", bound=BaseModel)
CachedT = TypeVar("CachedT")
ParamsP = ParamSpec("ParamsP")
# Answers that a second try may well change.
TRANSIENT = {429, 502, 503, 504}
# Cities come from clients: without a bound they could fill the memory.
CACHED_ANSWERS = 1000
LARGEST_ANSWER_BYTES = 2_000_000

logger = logging.getLogger(__name__)


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
        clients: Sequence[Callable[[], httpx2.AsyncClient]],
        settings: FanOutSettings,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = settings.upstream_timeout_seconds
        self._retries = settings.upstream_retries
        # The last one used is the next: its connection is still open.
        self._idle: asyncio.LifoQueue[Callable[[], httpx2.AsyncClient]] = asyncio.LifoQueue()
        for client in clients:
            self._idle.put_nowait(client)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        base_url: str,
        settings: FanOutSettings,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Self]:
        """Lend a pool of connections; ``transport`` is for tests."""

        async with AsyncExitStack() as stack:

            def client() -> httpx2.AsyncClient:
                client = httpx2.AsyncClient(
                    transport=transport,
                    headers=headers,
                    timeout=None,  # get() has one; httpx2's own four would cost a tenth of a call
                    verify=_tls_context(),
                    event_hooks={"request": [_pass_request_id_on]},
                )
                stack.push_async_callback(client.aclose)
                return client

            # One for each connection: at each call a client looks at all that it has. Each is made
            # when it is first used: reading certificates would delay the start.
            clients = [cache(client) for _ in range(settings.upstream_connections)]
            yield cls(base_url, clients, settings)

    def url(self, path: str, params: Mapping[str, str | int]) -> httpx2.URL:
        """Return the address of a resource. It takes 80 µs: make those that never change once."""
        return httpx2.URL(self._base_url + path, params=params or None)

    async def get(self, url: httpx2.URL, answer: type[AnswerT]) -> AnswerT:
        """Return the answer to a GET; raise ``UpstreamError``, or ``TimeoutError`` when it is late.

        Retries, if there are any, share the time of the one answer. They are safe because a GET
        changes nothing.
        """
        async with asyncio.timeout(self._timeout_seconds):
            body = await (self._retry(url) if self._retries else self._send(url))
        try:
            return answer.model_validate_json(body)
        except ValidationError:
            raise UpstreamError("the answer is not what was expected") from None

    async def _retry(self, url: httpx2.URL) -> bytes:
        # Loaded, and passed through, only where it retries: 8 ms of the start, 160 µs of each call.
        import stamina

        caller = stamina.AsyncRetryingCaller(attempts=self._retries + 1)
        return await caller(_is_transient, self._send, url)

    async def _send(self, url: httpx2.URL) -> bytes:
        host = url.host  # the rest of the address may hold credentials
        client = await self._idle.get()
        try:
            async with client().stream("GET", url) as response:
                if response.is_success:
                    return await _read(response)
        except httpx2.HTTPError as error:
            logger.warning("%s does not answer: %r", host, error)
            raise UpstreamError("the service cannot be reached", is_transient=True) from error
        finally:
            self._idle.put_nowait(client)
        logger.warning("%s answers %s", host, response.status_code)
        raise UpstreamError(
            f"the service answered {response.status_code}",
            is_transient=response.status_code in TRANSIENT,
        )


def cached(
    fetch: Callable[ParamsP, Coroutine[Any, Any, CachedT]],
    settings: FanOutSettings,
) -> Callable[ParamsP, Coroutine[Any, Any, CachedT]]:
    """Keep good answers for a while; callers at the same time share one call."""
    if settings.upstream_cache_seconds == 0:
        return fetch
    return alru_cache(maxsize=CACHED_ANSWERS, ttl=settings.upstream_cache_seconds)(fetch)


async def _read(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER_BYTES:
            raise UpstreamError("the answer is too large")
    return body


@cache
def _tls_context() -> ssl.SSLContext:
    """Read the machine's certificates once, not once for each client: it takes 20 ms."""
    return httpx2.create_ssl_context()


def _is_transient(error: Exception) -> bool:
    return isinstance(error, UpstreamError) and error.is_transient


async def _pass_request_id_on(request: httpx2.Request) -> None:
    if (current := request_id.get()) is not None:
        request.headers[HEADER] = current
