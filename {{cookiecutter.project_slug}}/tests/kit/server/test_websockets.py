"""WebSockets and streams of events, of which this service has none yet."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterable
from time import monotonic

import httpx2
import pytest
from fastapi import FastAPI, HTTPException, WebSocket
from fastapi.sse import EventSourceResponse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.kit.logging import JsonFormatter
from app.kit.server.websocket_protocol import WebSocketProtocol
from tests.support.server import Running, serving
from tests.support.settings import ALLOWED_ORIGIN

HANDSHAKE = (
    b"GET /echo/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
# A masked "hello" (RFC 6455, section 5.7).
FRAME = bytes.fromhex("818537fa213d7f9f4d5158")


async def echo(websocket: WebSocket, name: str) -> None:
    if name == "refused":
        raise HTTPException(401, "not now")
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


async def flood(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.send_text("x" * 100_000)


async def count() -> AsyncIterable[int]:
    number = 0
    while True:
        yield number
        number += 1
        await asyncio.sleep(0.01)


@pytest.fixture
async def running(app: FastAPI) -> AsyncGenerator[Running]:
    """Serve with an endpoint of each kind."""
    app.add_api_websocket_route("/echo/{name}", echo)
    app.add_api_websocket_route("/flood", flood)
    app.add_api_route("/count", count, response_class=EventSourceResponse)
    async with asyncio.timeout(20), serving(app) as running:
        yield running


async def refusal_of(url: str, **options: str) -> tuple[int, dict[str, str]]:
    """Return the status and the problem with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, proxy=None, additional_headers=options):
            pass
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"{}")


async def close_code(client: ClientConnection) -> int | None:
    """Return why the server closes."""
    with pytest.raises(ConnectionClosed):
        while True:
            await client.recv()
    return client.close_code


async def exchange(port: int, data: bytes) -> bytes:
    """Return what a server answers to these bytes before it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


async def test_websocket_is_served_and_logged_without_its_path(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    for logger in ("app", "uvicorn", "websockets.server"):
        caplog.set_level(logging.DEBUG, logger=logger)
    caplog.handler.setFormatter(JsonFormatter())
    async with connect(f"{running.ws}/echo/lovelace?token=lovelace", proxy=None) as client:
        await client.send("hello")
        assert await client.recv() == "hello"
        assert client.response
        request_id = client.response.headers["X-Request-ID"]
    assert "lovelace" not in caplog.text
    parsed = [json.loads(line) for line in caplog.text.splitlines()]
    (line,) = [line for line in parsed if line["logger"] == "app.access"]
    assert (line["method"], line["route"]) == ("WEBSOCKET", "/echo/{name}")
    assert (line["status"], line["request_id"]) == (101, request_id)


async def test_refused_websocket_is_a_problem(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    status, problem = await refusal_of(f"{running.ws}/echo/refused")
    assert (status, problem["detail"]) == (401, "not now")
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_websocket_without_a_route_is_refused(running: Running) -> None:
    assert (await refusal_of(f"{running.ws}/nowhere"))[0] == 403


async def test_pages_of_other_sites_may_not_open_websockets(running: Running) -> None:
    url = f"{running.ws}/echo/x"
    assert (await refusal_of(url, Origin="https://other.example"))[0] == 403
    for origin in (running.http, ALLOWED_ORIGIN):
        async with connect(url, proxy=None, additional_headers={"Origin": origin}):
            pass


async def test_large_message_ends_a_websocket(running: Running) -> None:
    async with connect(f"{running.ws}/echo/x", proxy=None) as client:
        await client.send("x" * 1001)
        assert await close_code(client) == 1009


@pytest.mark.parametrize("path", ["/echo/x", "/flood"])
async def test_websocket_of_a_client_that_is_gone_is_closed(
    running: Running, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that neither answers pings nor reads; TCP alone would notice neither."""
    running.server.config.ws_ping_interval = running.server.config.ws_ping_timeout = 0.1
    state = running.server.server_state
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(HANDSHAKE.replace(b"/echo/x", path.encode()) + b"\r\n")
        while not [one for one in state.connections if isinstance(one, WebSocketProtocol)]:
            await asyncio.sleep(0.01)
        while state.connections or state.tasks:
            await asyncio.sleep(0.01)


async def test_data_behind_a_handshake_is_refused(running: Running) -> None:
    """A client must wait for the answer; behind a proxy, these bytes may be another request."""
    answer = await exchange(running.port, HANDSHAKE + b"\r\n" + FRAME)
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_handshake_with_a_body_is_a_request_as_others(running: Running) -> None:
    body = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    head = HANDSHAKE.replace(b"/echo/x", b"/health/live") + b"Content-Length: %d\r\n" % len(body)
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await exchange(running.port, head + b"\r\n" + body + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert answer.count(b"HTTP/1.1 ") == 2


async def test_handshake_behind_a_request_waits_for_no_websocket(running: Running) -> None:
    """Two answers on one connection would mix."""
    first = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    second = HANDSHAKE.replace(b"/echo/x", b"/nowhere") + b"\r\n"
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await exchange(running.port, first + second + last)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"404"]


async def test_shutdown_closes_websockets_and_completes_event_streams(running: Running) -> None:
    async with (
        connect(f"{running.ws}/echo/x", proxy=None) as client,
        httpx2.AsyncClient(base_url=running.http, trust_env=False) as http,
        http.stream("GET", "/count") as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == "data: 0"
        asked_at = monotonic()
        running.stop()
        assert [line async for line in lines]  # raises if the end is missing
        assert await close_code(client) == 1012
        await running.task
    assert monotonic() - asked_at < 5


async def test_head_of_an_event_stream_ends(running: Running) -> None:
    async with httpx2.AsyncClient(base_url=running.http, trust_env=False) as http:
        assert (await http.head("/count")).status_code == 200
    while running.server.server_state.tasks:
        await asyncio.sleep(0.01)
