"""Bodies that are too large or too slow."""

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.core.config import Settings
from app.kit.http.middleware.body_limit import BodyLimitMiddleware
from app.main import create_app

USERS = "/api/v1/users/"
LIMIT = 1_000_000
JSON = {"Content-Type": "application/json"}
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": USERS,
    "query_string": b"",
    "headers": [(b"content-type", b"application/json")],
}


def test_declared_body_beyond_the_limit_is_refused(client: TestClient) -> None:
    response = client.post(USERS, content=b" " * (LIMIT + 1), headers=JSON)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "the body is larger than 1000000 bytes"


def test_declared_body_is_refused_though_nobody_reads_it() -> None:
    client = TestClient(BodyLimitMiddleware(Response(), max_bytes=1, max_seconds=1))
    assert client.post("/", content=b" ").status_code == 200
    response = client.post("/", content=b"  ")
    assert (response.status_code, response.headers["connection"]) == (413, "close")


async def test_endless_body_is_refused_before_it_is_read_whole(
    app: FastAPI, client: TestClient
) -> None:
    """A test client would collect the body first, so this speaks to the application itself."""
    chunks = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": b" " * 100_000, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(SCOPE | {"state": client.app_state}, receive, send)
    assert sent[0]["status"] == 413
    assert (b"content-type", b"application/problem+json") in sent[0]["headers"]
    assert (b"connection", b"close") in sent[0]["headers"]
    assert chunks == 11


@pytest.mark.parametrize("declared", ["-1", "many", "1_0"])
def test_nonsense_in_the_declaration_changes_nothing(client: TestClient, declared: str) -> None:
    headers = JSON | {"Content-Length": declared}
    assert client.post(USERS, content=b"{}", headers=headers).status_code == 422


def test_body_at_the_limit_is_read(client: TestClient) -> None:
    assert client.post(USERS, content=b" " * LIMIT, headers=JSON).status_code == 422


async def test_body_that_drips_is_given_up(settings: Settings) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    app = create_app(settings.model_copy(update={"max_body_seconds": 0.05}))
    with TestClient(app) as client:
        async with asyncio.timeout(5):
            await app(SCOPE | {"state": client.app_state}, receive, send)
    assert sent[0]["status"] == 408
    assert (b"content-type", b"application/problem+json") in sent[0]["headers"]
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_waiting_for_the_client_to_leave_is_not_bounded() -> None:
    """Streams do it after the body."""
    received: list[str] = []

    async def stream(_scope: Scope, receive: Receive, _send: Send) -> None:
        for _ in range(2):
            received.append((await receive())["type"])

    async def receive() -> Message:
        await asyncio.sleep(0.02 if received else 0)
        return {"type": "http.disconnect" if received else "http.request"}

    async def send(_: Message) -> None:
        raise AssertionError

    await BodyLimitMiddleware(stream, max_bytes=1, max_seconds=0.01)(SCOPE, receive, send)
    assert received == ["http.request", "http.disconnect"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/files/7", 200), ("/files/7/", 200), ("/api/files/7", 200), ("/files/7/x", 413), ("/", 413)],
)
def test_paths_may_have_a_limit_of_their_own(path: str, status: int) -> None:
    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await Response()(scope, receive, send)

    limits = {r"/files/\d+": 9}
    client = TestClient(BodyLimitMiddleware(read, max_bytes=1, max_seconds=1, exceptions=limits))
    assert client.post(path, content=b" " * 9).status_code == status
    assert client.post(path, content=b" " * 10).status_code == 413
