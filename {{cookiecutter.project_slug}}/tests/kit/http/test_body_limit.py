"""Request bodies that are too large or too slow."""

import asyncio

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.config import Settings
from app.kit.http.middleware.body_limit import (
    BodyLimit,
    BodyLimitMiddleware,
    default_body_limit,
)

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


async def send_parts(
    app: ASGIApp, part: bytes, *, pause: float, parts: int = 1000, scope: Scope = SCOPE
) -> list[Message]:
    """Send a body part by part; a test client would collect it first."""
    left = parts
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal left
        await asyncio.sleep(pause)
        left -= 1
        return {"type": "http.request", "body": part, "more_body": left > 0}

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(10):
        await app(dict(scope), receive, send)
    return [*sent, {"unread": left}]


async def read(request: Request) -> int:
    return len(await request.body())


@pytest.fixture
def uploads(app: FastAPI) -> FastAPI:
    """Add routes with limits of their own."""
    router = APIRouter(prefix="/uploads", dependencies=[Depends(BodyLimit(max_bytes=20))])
    router.add_api_route("/default", read, methods=["POST"])
    own = [Depends(BodyLimit(max_bytes=lambda _: 2_000_000))]
    router.add_api_route("/{id}/large", read, methods=["POST"], dependencies=own)
    slow = [Depends(BodyLimit(max_bytes=LIMIT, grace_seconds=0.2, min_bytes_per_second=1000))]
    router.add_api_route("/slow", read, methods=["POST"], dependencies=slow)
    app.include_router(router)
    return app


def test_declared_body_beyond_the_limit_is_refused(client: TestClient) -> None:
    response = client.post(USERS, content=b" " * (LIMIT + 1), headers=JSON)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "the body is larger than 1000000 bytes"


def test_declared_body_is_refused_even_if_the_endpoint_does_not_read_it() -> None:
    client = TestClient(BodyLimitMiddleware(Response(), default=BodyLimit(max_bytes=1)))
    assert client.post("/", content=b" ").status_code == 200
    response = client.post("/", content=b"  ")
    assert (response.status_code, response.headers["connection"]) == (413, "close")


async def test_endless_body_is_refused_before_it_is_read(app: FastAPI, client: TestClient) -> None:
    scope = SCOPE | {"state": client.app_state}
    start, *_, rest = await send_parts(app, b" " * 100_000, pause=0, scope=scope)
    assert start["status"] == 413
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert (b"connection", b"close") in start["headers"]
    assert rest["unread"] == 1000 - 11


@pytest.mark.parametrize("declared", ["-1", "many", "1_0"])
def test_invalid_content_length_does_not_lift_the_limit(client: TestClient, declared: str) -> None:
    headers = JSON | {"Content-Length": declared}
    assert client.post(USERS, content=b"{}", headers=headers).status_code == 422


def test_body_at_the_limit_is_read(client: TestClient) -> None:
    assert client.post(USERS, content=b" " * LIMIT, headers=JSON).status_code == 422


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/uploads/default", 20),
        ("/uploads/default/", 20),
        ("/uploads/7/large", 2_000_000),
        ("/uploads/7/large/", 2_000_000),
        ("/uploads/7/nothing", LIMIT),
    ],
)
def test_route_has_the_limit_that_it_declares(
    uploads: FastAPI, client: TestClient, path: str, allowed: int
) -> None:
    assert client.post(path, content=b" " * allowed).status_code in {200, 404}
    assert client.post(path, content=b" " * (allowed + 1)).status_code == 413
    chunks = iter([b" " * allowed, b" "])
    assert client.post(path, content=chunks).status_code in {404, 413}


async def test_slow_body_is_answered_408(uploads: FastAPI, client: TestClient) -> None:
    scope = SCOPE | {"path": "/uploads/slow", "state": client.app_state}
    start, *_ = await send_parts(uploads, b" ", pause=0.01, scope=scope)
    assert start["status"] == 408
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert (b"connection", b"close") in start["headers"]


async def test_body_that_takes_long_at_a_good_rate_is_read(
    uploads: FastAPI, client: TestClient
) -> None:
    """Twice the grace period, at ten times the rate."""
    scope = SCOPE | {"path": "/uploads/slow", "state": client.app_state}
    start, body, *_ = await send_parts(uploads, b" " * 200, pause=0.02, parts=20, scope=scope)
    assert (start["status"], body["body"]) == (200, b"4000")


def test_upload_from_a_telephone_is_in_time(settings: Settings) -> None:
    limit = default_body_limit(settings)
    for received in range(0, 4_000_000, 65_536):
        assert limit.seconds(received) > received / 250_000


def test_body_of_one_byte_per_second_is_too_slow(settings: Settings) -> None:
    """At a byte per second."""
    assert default_body_limit(settings).seconds(11) < 11


async def test_rate_of_a_body_ignores_the_time_of_the_service() -> None:
    """A client need not hurry while an endpoint works on what it has."""

    async def work(_: Scope, receive: Receive, _send: Send) -> None:
        while (await receive()).get("more_body"):
            await asyncio.sleep(0.02)

    limit = BodyLimit(max_bytes=100, grace_seconds=0.1, min_bytes_per_second=1000)
    middleware = BodyLimitMiddleware(work, default=limit)
    (rest,) = await send_parts(middleware, b" ", pause=0, parts=20)
    assert rest["unread"] == 0


async def test_waiting_for_the_client_to_leave_is_not_bounded() -> None:
    """Streams do it after the body."""
    received: list[str] = []

    async def stream(_scope: Scope, receive: Receive, _send: Send) -> None:
        for _ in range(2):
            received.append((await receive())["type"])

    async def receive() -> Message:
        await asyncio.sleep(0.04 if received else 0)
        return {"type": "http.disconnect" if received else "http.request"}

    async def send(_: Message) -> None:
        raise AssertionError

    limit = BodyLimit(max_bytes=1, grace_seconds=0.02)
    await BodyLimitMiddleware(stream, default=limit)(SCOPE, receive, send)
    assert received == ["http.request", "http.disconnect"]
