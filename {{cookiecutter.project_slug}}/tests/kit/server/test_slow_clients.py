"""Clients that send heads and bodies slowly, or do not read their answers."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.kit.server import http_protocol
from app.kit.server.http_protocol import BoundedHttpProtocol

pytestmark = pytest.mark.slow
SECONDS = 0.2
HEADER = b"X-More: 1\r\n"
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
REQUEST = HEAD + b"\r\n"
LATE_HEAD = HEAD.replace(b"/", b"/late", 1)
LATE_REQUEST = LATE_HEAD + b"\r\n"
LAST_REQUEST = HEAD + b"Connection: close\r\n\r\n"
WITH_BODY = HEAD + b"Content-Length: 1000\r\n\r\n"
LARGE_REQUEST = HEAD.replace(b"/", b"/large", 1) + b"\r\n"
LARGE = "x" * 30_000_000
# As Java's client and `curl --http2` make it.
OFFER = HEAD.replace(b"/", b"/echo", 1) + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, or late, or with the body, or with more than fits into buffers."""
    if scope["path"] == "/late":
        await asyncio.sleep(2 * SECONDS)
    body = await Request(scope, receive).body() if scope["path"] == "/echo" else "ok"
    await PlainTextResponse(LARGE if scope["path"] == "/large" else body)(scope, receive, send)


class Listening:
    """What a test knows of the server."""

    def __init__(self, keep_alive_seconds: float) -> None:
        self.state = ServerState()
        self._config = uvicorn.Config(answer, log_config=None)
        self._keep_alive_seconds = keep_alive_seconds

    def protocol(self) -> BoundedHttpProtocol:
        """Return what speaks with one client."""
        protocol = BoundedHttpProtocol(self._config, self.state, {})
        vars(protocol)["timeout_keep_alive"] = self._keep_alive_seconds
        return protocol


@asynccontextmanager
async def listening(
    *, head_within: float = SECONDS, keep_alive_seconds: float = 5
) -> AsyncGenerator[tuple[Listening, int]]:
    """Wait so many seconds for a head, and keep connections; yield the port, too."""
    ours = Listening(keep_alive_seconds)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(ours.protocol, "127.0.0.1", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_protocol, "HEADER_SECONDS", head_within)
        async with server, asyncio.timeout(SECONDS * 50):
            port: int = server.sockets[0].getsockname()[1]
            yield ours, port


@asynccontextmanager
async def connection(
    *, head_within: float = SECONDS
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a server that waits so many seconds for a head."""
    async with listening(head_within=head_within) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield reader, writer
        writer.close()


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Return what comes before the end, which is a reset where the server has not read all."""
    said = b""
    with suppress(ConnectionResetError):
        while more := await reader.read(1000):
            said += more
    return said


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
async def test_slow_client_is_disconnected(start: bytes, drop: bytes) -> None:
    async def drip() -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(drop)
            await asyncio.sleep(SECONDS / 10)

    async with connection() as (reader, writer):
        dripping = asyncio.create_task(drip())
        assert (await heard(reader)).count(b"200 OK") == (b"\r\n\r\n" in start)
        dripping.cancel()


async def test_head_without_end_is_cut_off() -> None:
    async with connection(head_within=60) as (reader, writer):
        writer.write(HEAD + HEADER * 100_000)
        assert await heard(reader) == b""


@pytest.mark.parametrize(
    "start",
    [LATE_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", REQUEST + LATE_REQUEST + HEAD],
    ids=["trailers", "head behind requests"],
)
async def test_headers_without_end_are_cut_off(start: bytes) -> None:
    async with connection(head_within=60) as (reader, writer):
        writer.write(start + HEADER * 100_000)
        await heard(reader)


@pytest.mark.parametrize("pause", [0, 0.05])
@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: %d\r\n\r\n%b" % (len(REQUEST), REQUEST),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(REQUEST), REQUEST),
    ],
    ids=["length", "chunked"],
)
async def test_body_behind_an_offer_is_not_a_request(rest: bytes, pause: float) -> None:
    head, _, body = rest.partition(b"\r\n\r\n")
    async with connection(head_within=60) as (reader, writer):
        writer.write(OFFER + head + b"\r\n\r\n")
        await asyncio.sleep(pause)
        writer.write(body + LAST_REQUEST)
        said = await heard(reader)
    assert said.count(b"200 OK") == 2
    assert said.count(REQUEST) == 1


async def test_client_that_sends_all_before_it_reads_is_answered() -> None:
    part = b"a" * http_protocol.MAX_HEADER_BYTES
    async with connection(head_within=60) as (reader, writer):
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % (3 * len(part)))
        for _ in range(3):
            await asyncio.sleep(SECONDS / 10)
            writer.write(part)
        writer.write(LAST_REQUEST)
        assert (await heard(reader)).count(b"200 OK") == 2


async def test_request_that_takes_its_time_is_answered() -> None:
    async with connection() as (reader, writer):
        for _ in range(2):
            writer.write(LATE_REQUEST)
            assert b"200 OK" in await reader.readuntil(b"ok")


async def test_client_that_does_not_read_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "SEND_SECONDS", SECONDS)
    async with listening() as (ours, port):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(LARGE_REQUEST)
            while not ours.state.connections:
                await asyncio.sleep(0.01)
            while ours.state.connections or ours.state.tasks:
                await asyncio.sleep(0.01)


async def test_client_that_reads_slowly_gets_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "SEND_SECONDS", SECONDS)
    async with listening() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000_000)
        writer.write(LARGE_REQUEST)
        received = 0
        for _ in range(20):
            received += len(await reader.readexactly(1_000_000))
            await asyncio.sleep(SECONDS / 5)
        while received < len(LARGE):
            received += len(await reader.read(1_000_000))
        writer.close()


async def test_connections_outlast_the_idle_time_of_a_proxy() -> None:
    """A proxy closes its idle connections first, or requests meet one that is being closed."""
    idle_seconds = SECONDS
    async with listening(keep_alive_seconds=5 * idle_seconds) as (_, port):

        async def use_connection() -> list[bytes]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            answers = []
            for _ in range(4):
                writer.write(REQUEST)
                answers.append(await reader.readuntil(b"ok"))
                await asyncio.sleep(idle_seconds)
            writer.close()
            return answers

        answers = await asyncio.gather(*(use_connection() for _ in range(50)))
    assert {answer[:15] for many in answers for answer in many} == {b"HTTP/1.1 200 OK"}


async def test_idle_connection_is_closed_in_the_end() -> None:
    async with listening(keep_alive_seconds=SECONDS) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        assert (await heard(reader)).endswith(b"ok")
        writer.close()
