"""The connections to another service, by aiohttp."""

import logging
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from app.clients.upstream import UpstreamError
from app.kit.logging import REQUEST_ID_HEADER, request_id

# Answers that a second try may well change.
TRANSIENT = {429, 502, 503, 504}
LARGEST_ANSWER_BYTES = 2_000_000

logger = logging.getLogger(__name__)


class Connections:
    """Connections that stay open; who finds all of them in use waits for one."""

    def __init__(self, base_url: str, limit: int, headers: Mapping[str, str] | None) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limit),
            headers=_credentials(base_url) | dict(headers or {}),
            proxy=_proxy(base_url),
            timeout=aiohttp.ClientTimeout(),  # none: callers have one
            # What one client's request made the service set is not the next one's business.
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def get(self, url: str) -> bytes:
        """Return the body of a good answer; raise ``UpstreamError`` for any other, or none."""
        host = urlsplit(url).hostname  # the rest of the address may be private
        current = request_id.get()
        headers = None if current is None else {REQUEST_ID_HEADER: current}
        try:
            # Once more by itself where a connection ends before it answers: it may have been idle.
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                if 200 <= response.status < 300:
                    return await _read(response)
        # ValueError: an address that makes no sense.
        except (aiohttp.ClientError, ValueError) as error:
            # Only the system's errors never quote the address.
            reason = error if isinstance(error, OSError) else type(error).__name__
            logger.warning("%s does not answer: %s", host, reason)
            raise UpstreamError("the service cannot be reached", is_transient=True) from error
        logger.warning("%s answers %s", host, response.status)
        raise UpstreamError(
            f"the service answered {response.status}",
            is_transient=response.status in TRANSIENT,
        )

    async def aclose(self) -> None:
        """Close them."""
        await self._session.close()


def _credentials(base_url: str) -> dict[str, str]:
    """Return the header for those in the address; aiohttp would send them as Latin-1."""
    parts = urlsplit(base_url)
    if parts.username is None:
        return {}
    user, password = unquote(parts.username), unquote(parts.password or "")
    return {"Authorization": aiohttp.encode_basic_auth(user, password)}


def _proxy(base_url: str) -> str | None:
    """Return the proxy that the environment names; aiohttp would look at each call, in a thread."""
    parts = urlsplit(base_url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    # With a port, in brackets, or neither.
    names = {parts.netloc.rpartition("@")[2], parts.hostname or ""}
    if proxy is None or any(map(proxy_bypass, names)):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):  # aiohttp would talk HTTP to it all the same
        logger.warning("the environment's proxy for %s is none for HTTP", parts.hostname)
        raise UpstreamError("the service cannot be reached")
    return proxy


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_ANSWER_BYTES:
            raise UpstreamError("the answer is too large")
    return body
