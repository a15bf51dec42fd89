"""The timing headers."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/api/v1/users/", 413),
        ("GET", "/api/v1/users/0", 422),
        ("GET", "/fault", 500),
    ],
)
def test_every_answer_is_timed(client: TestClient, method: str, path: str, status: int) -> None:
    body = b" " * 1_000_001 if status == 413 else b""
    response = client.request(method, path, content=body)
    assert response.status_code == status
    seconds = float(response.headers["X-Process-Time"])
    assert 0 < seconds < 60
    assert response.headers["Server-Timing"] == f"app;dur={seconds * 1000:.3f}"


def test_duration_includes_a_slow_endpoint(app: FastAPI, client: TestClient) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.05)

    app.add_api_route("/slow", slow)
    assert float(client.get("/slow").headers["X-Process-Time"]) >= 0.05


def test_headers_of_a_stream_are_sent_before_its_body(app: FastAPI, client: TestClient) -> None:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"a"
        yield b"b"

    async def stream() -> StreamingResponse:
        return StreamingResponse(parts())

    app.add_api_route("/stream", stream)
    response = client.get("/stream")
    assert response.content == b"ab"
    assert "X-Process-Time" in response.headers
