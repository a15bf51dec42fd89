"""Calls to another service, which may hang, lie, or break off."""

import asyncio
import logging
import ssl
from gzip import compress
from pathlib import Path

import pytest
from pydantic import BaseModel

from app.kit.upstream import connections
from app.kit.upstream.results import UpstreamError
from app.kit.upstream.service import Upstream
from app.kit.upstream.settings import UpstreamSettings
from tests.support.upstream import Asked, json_reply, playing, reply

# A key for tests and its certificate for localhost, which no client trusts.
CERTIFICATE = Path(__file__).parents[1] / "support" / "localhost.pem"
CANNOT_BE_REACHED = "^the service cannot be reached$"


class Number(BaseModel):
    n: int


async def one(_: Asked) -> bytes:
    return json_reply({"n": 1})


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


async def get(url: str, seconds: float = 5) -> int:
    """Ask once, by a new connection."""
    upstream = Upstream(url, UpstreamSettings(upstream_timeout_seconds=seconds))
    try:
        return (await upstream.get("/number", {}, Number)).n
    finally:
        await upstream.aclose()


async def test_answer_is_checked_and_returned() -> None:
    async with playing(one) as port:
        assert await get(f"http://127.0.0.1:{port}") == 1


async def test_untrusted_certificate_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(CERTIFICATE)
    async with playing(one, tls) as port:
        with pytest.raises(UpstreamError, match=CANNOT_BE_REACHED):
            await get(f"https://localhost:{port}")
    assert "certificate verify failed" in caplog.text


async def test_certificates_of_ssl_cert_file_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setattr(connections, "trusted", connections.trusted.__wrapped__)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(CERTIFICATE)
    async with playing(one, tls) as port:
        assert await get(f"https://localhost:{port}") == 1


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_slow_server_is_an_error_at_the_timeout(start: bytes) -> None:
    async def drip(request: Asked) -> bytes:
        request.connection.write(start)
        while start:
            request.connection.write(b"1")
            await asyncio.sleep(0.01)
        await asyncio.Event().wait()
        return b""

    async with playing(drip) as port, asyncio.timeout(2):
        with pytest.raises(TimeoutError):
            await get(f"http://127.0.0.1:{port}", seconds=0.1)


async def test_endless_headers_are_cut_off() -> None:
    async def answer(request: Asked) -> bytes:
        request.connection.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            request.connection.write(b"X: " + b"a" * 10_000 + b"\r\n")
            await request.connection.drain()

    async with playing(answer) as port:
        with pytest.raises(UpstreamError, match=CANNOT_BE_REACHED):
            await get(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("body", [b'{"n": 1}', compress(b'{"n": 1}')[:-4] + b"abcd"])
async def test_wrong_content_encoding_is_an_error(body: bytes) -> None:
    async def answer(_: Asked) -> bytes:
        return reply(body, Content_Encoding="gzip")

    async with playing(answer) as port:
        with pytest.raises(UpstreamError, match=CANNOT_BE_REACHED):
            await get(f"http://127.0.0.1:{port}")


async def test_answer_that_breaks_off_is_an_error() -> None:
    async def answer(request: Asked) -> bytes:
        asyncio.get_running_loop().call_later(0.01, request.connection.close)
        return json_reply({"n": 1})[:-1]

    async with playing(answer) as port:
        with pytest.raises(UpstreamError, match=CANNOT_BE_REACHED):
            await get(f"http://127.0.0.1:{port}")


async def test_connection_that_was_closed_while_idle_is_replaced() -> None:
    connections = set()

    async def answer(request: Asked) -> bytes:
        connections.add(request.connection)
        asyncio.get_running_loop().call_later(0.01, request.connection.close)
        return json_reply({"n": 1})

    async with playing(answer) as port:
        upstream = Upstream(f"http://127.0.0.1:{port}", UpstreamSettings())
        for _ in range(2):
            await upstream.get("/", {}, Number)
            await asyncio.sleep(0.05)
        await upstream.aclose()
    assert len(connections) == 2


@pytest.mark.parametrize(("failures", "detail"), [(1, None), (2, "the service cannot be reached")])
async def test_request_is_repeated_once_if_the_connection_ends_before_the_answer(
    failures: int, detail: str | None
) -> None:
    """A server may close an idle connection at the moment when it is used again."""
    asked = 0

    async def answer(request: Asked) -> bytes:
        nonlocal asked
        asked += 1
        if asked <= failures:
            request.connection.transport.abort()
        return json_reply({"n": 1})

    said = None
    async with playing(answer) as port:
        try:
            await get(f"http://127.0.0.1:{port}")
        except UpstreamError as error:
            said = str(error)
    assert (said, asked) == (detail, 2)


async def test_debug_log_holds_neither_address_nor_credentials(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with playing(one) as port:
        await get(f"http://ada:secret@127.0.0.1:{port}")
    assert "number" not in caplog.text
    assert "secret" not in caplog.text
    assert "YWRhOnNlY3JldA" not in caplog.text  # both in Base64


async def test_proxy_that_is_not_for_http_is_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("all_proxy", "gopher://ada:secret@proxy.example")
    with pytest.raises(UpstreamError, match=CANNOT_BE_REACHED):
        await get("http://weather.example")
    assert "the environment's proxies cannot be used" in caplog.text
    assert "secret" not in caplog.text
