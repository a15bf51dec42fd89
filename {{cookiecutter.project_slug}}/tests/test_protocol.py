"""Clients that do not come to the point."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app import protocol
from app.protocol import BoundedProtocol

pytestmark = pytest.mark.slow

SECONDS = 0.2
HEADER = b"X-More: 1\r\n"
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
REQUEST = HEAD + b"\r\n"
LATE_HEAD = HEAD.replace(b"/", b"/late", 1)
LATE_REQUEST = LATE_HEAD + b"\r\n"
WITH_BODY = HEAD + b"Content-Length: 1000\r\n\r\n"


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", SECONDS)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, or late."""
    if scope["path"] == "/late":
        await asyncio.sleep(2 * SECONDS)
    await PlainTextResponse("ok")(scope, receive, send)


@asynccontextmanager
async def connection() -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(answer, log_config=None)
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedProtocol(config, state, {}), "127.0.0.1", 0)
    async with server, asyncio.timeout(SECONDS * 20):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (HEAD, b""),
        (HEAD, HEADER),
        (REQUEST + HEAD, HEADER),
        (WITH_BODY, b"a"),
    ],
)
async def test_who_drips_is_disconnected(start: bytes, drop: bytes) -> None:
    async def drip() -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(drop)
            await asyncio.sleep(SECONDS / 10)

    async with connection() as (reader, writer):
        dripping = asyncio.create_task(drip())
        assert (await heard(reader)).count(b"200 OK") == (b"\r\n\r\n" in start)
        dripping.cancel()


async def test_head_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 60)
    async with connection() as (reader, writer):
        writer.write(HEAD + HEADER * 100_000)
        assert await heard(reader) == b""


@pytest.mark.parametrize(
    "start",
    [LATE_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", REQUEST + LATE_REQUEST + HEAD],
    ids=["trailers", "head behind requests"],
)
async def test_headers_without_end_are_cut_off(
    monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 60)
    async with connection() as (reader, writer):
        writer.write(start + HEADER * 100_000)
        await heard(reader)


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Return what comes before the end, which is a reset where the server has not read all."""
    said = b""
    with suppress(ConnectionResetError):
        while more := await reader.read(1000):
            said += more
    return said


async def test_request_that_takes_its_time_is_answered() -> None:
    async with connection() as (reader, writer):
        for _ in range(2):
            writer.write(LATE_REQUEST)
            assert b"200 OK" in await reader.readuntil(b"ok")
