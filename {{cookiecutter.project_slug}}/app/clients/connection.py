"""A connection to another service, by httpx2."""

import logging
import ssl
from collections.abc import Mapping
from functools import cache, lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx2

from app.clients.upstream import UpstreamError
from app.core.request_id import HEADER, request_id

# Answers that a second try may well change.
TRANSIENT = {429, 502, 503, 504}
# Cities come from clients: without a bound they could fill the memory.
PARSED_URLS = 1000
LARGEST_ANSWER_BYTES = 2_000_000

logger = logging.getLogger(__name__)


class Connection:
    """A connection that stays open, for one caller at a time."""

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        self._client = httpx2.AsyncClient(
            transport=transport,
            headers=headers,
            timeout=None,  # callers have one; httpx2's own four would cost a tenth of a call
            verify=_tls_context(),
            event_hooks={"request": [_pass_request_id_on]},
            # Of none: what one client's request made the service set is not the next one's business.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def get(self, url: str) -> bytes:
        """Return the body of a good answer; raise ``UpstreamError`` for any other, or none."""
        host = urlsplit(url).hostname  # the rest of the address may hold credentials
        try:
            async with self._client.stream("GET", _parse(url)) as response:
                if response.is_success:
                    return await _read(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            logger.warning("%s does not answer: %r", host, error)
            raise UpstreamError("the service cannot be reached", is_transient=True) from error
        logger.warning("%s answers %s", host, response.status_code)
        raise UpstreamError(
            f"the service answered {response.status_code}",
            is_transient=response.status_code in TRANSIENT,
        )

    async def aclose(self) -> None:
        """Close it."""
        await self._client.aclose()


@lru_cache(PARSED_URLS)
def _parse(url: str) -> httpx2.URL:
    """Take an address apart once: it takes 80 µs."""
    return httpx2.URL(url)


async def _read(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER_BYTES:
            raise UpstreamError("the answer is too large")
    return body


@cache
def _tls_context() -> ssl.SSLContext:
    """Read the machine's certificates once, not once for each connection: it takes 20 ms."""
    return httpx2.create_ssl_context()


async def _pass_request_id_on(request: httpx2.Request) -> None:
    if (current := request_id.get()) is not None:
        request.headers[HEADER] = current
