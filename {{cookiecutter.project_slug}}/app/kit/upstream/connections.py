"""HTTP connections to another service, by httpx2."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cache, lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from urllib.parse import urlsplit

import httpx2

from app.kit.logging import REQUEST_ID_HEADER, request_id
from app.kit.upstream.results import UpstreamError

LARGEST_ANSWER_BYTES = 2_000_000
ONE_CONNECTION = httpx2.Limits(max_connections=1)
# The connection ended before the answer began.
DISCONNECTED = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)

logger = logging.getLogger(__name__)
for noisy in ("httpx2", "httpcore2"):  # they log addresses and credentials
    logging.getLogger(noisy).setLevel(logging.WARNING)


class Connections:
    """Up to ``limit`` connections, which stay open; further requests wait for one.

    Each is a client with one connection, because a pool of httpx2 asks the operating system about
    all its idle connections twice per request. With 64 connections that takes longer than the
    request. When pydantic/httpx2 #1169 is released, one client with 64 connections will do.
    """

    def __init__(self, base_url: str, limit: int, headers: Mapping[str, str]) -> None:
        self._host = urlsplit(base_url).hostname  # the rest of the address may be private
        self._headers = headers
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[httpx2.AsyncClient] = []

    async def get(self, url: str, headers: Mapping[str, str]) -> bytes:
        """Return the body of a successful response; otherwise raise ``UpstreamError``."""
        try:
            async with self._client() as client, _stream(client, parsed(url), headers) as response:
                if response.is_success:
                    return await _read(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Other texts may quote the address.
            reason = error if isinstance(error, httpx2.ConnectError) else type(error).__name__
            logger.warning("%s does not answer: %s", self._host, reason)
            raise UpstreamError("the service cannot be reached") from error
        logger.warning("%s answers %s", self._host, response.status_code)
        raise UpstreamError(f"the service answered {response.status_code}", response.status_code)

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._idle:
            await client.aclose()

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx2.AsyncClient]:
        async with self._slots:
            client = self._idle.pop() if self._idle else self._open()
            try:
                yield client
            finally:
                self._idle.append(client)

    def _open(self) -> httpx2.AsyncClient:
        try:
            return httpx2.AsyncClient(
                headers=self._headers,
                verify=trusted(),
                timeout=None,  # callers have a deadline for the whole answer
                limits=ONE_CONNECTION,
                # Cookies that come with one answer must not be sent with another request.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
        except ValueError:  # quotes the address
            logger.warning(
                "the environment's proxies cannot be used: "
                "their addresses must begin with http://, https://, socks5:// or socks5h://"
            )
            raise UpstreamError("the service cannot be reached") from None


@cache
def trusted() -> SSLContext:
    """Load the certificates that servers are checked with, once: it takes 20 ms."""
    return httpx2.create_ssl_context()


@lru_cache(maxsize=1000)
def parsed(url: str) -> httpx2.URL:
    """Parse a URL, which is a tenth of a request; the same ones are requested again."""
    return httpx2.URL(url)


@asynccontextmanager
async def _stream(
    client: httpx2.AsyncClient, url: httpx2.URL, headers: Mapping[str, str]
) -> AsyncGenerator[httpx2.Response]:
    current = request_id.get()
    own = {} if current is None else {REQUEST_ID_HEADER: current}
    request = client.build_request("GET", url, headers={**own, **headers})
    try:
        response = await client.send(request, stream=True)
    except DISCONNECTED:
        # A server may close an idle connection at the moment when it is used again.
        response = await client.send(request, stream=True)
    try:
        yield response
    finally:
        await response.aclose()


async def _read(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():  # decompressed, 1 MiB at most
        body += chunk
        if len(body) > LARGEST_ANSWER_BYTES:
            raise UpstreamError("the response is too large")
    return body
