"""Responses that read rows while they are sent."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import gc
import warnings
from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.api.deps import DatabaseDep
from app.kit.db.database import Database
from app.kit.http.streaming import GeneratorResponse
from tests.support.client import with_state
# {% endfilter %}

SCOPE = {"type": "http", "method": "GET", "path": "/stream", "query_string": b"", "headers": []}


class ClientLeftError(OSError):
    """What servers raise when they send to a client that has left."""


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
def add_stream(app: FastAPI) -> None:
    """Add an endpoint that holds a connection as long as its client reads."""

    async def rows(db: Database) -> AsyncGenerator[str]:
        async with db.read() as connection:
            for number in range(100):
                yield f"{await connection.scalar(text(f'SELECT {number}'))}\n"

    async def stream(db: DatabaseDep) -> GeneratorResponse:
        return GeneratorResponse(rows(db), "text/plain")

    app.add_api_route("/stream", stream)


# {% endfilter %}
def test_rows_are_streamed(app: FastAPI, client: TestClient) -> None:
    add_stream(app)
    assert client.get("/stream").text.split() == [str(number) for number in range(100)]


@pytest.mark.parametrize("spec_version", ["2.0", "2.4"])
def test_client_that_leaves_a_stream_returns_its_connection(
    app: FastAPI, client: TestClient, spec_version: str
) -> None:
    add_stream(app)

    async def leave() -> None:
        sent = 0

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(_: Message) -> None:
            nonlocal sent
            sent += 1
            if sent > 2:
                raise ClientLeftError

        scope = SCOPE | {"asgi": {"version": "3.0", "spec_version": spec_version}}
        with suppress(ClientLeftError, ClientDisconnect):
            await with_state(app, client.app_state)(scope, receive, send)

    assert client.portal
    for _ in range(3):  # the pool has two
        client.portal.call(leave)
    assert not client.app_state["database"]._pool._leases
    assert client.get("/health/ready").status_code == 200
    # SQLAlchemy leaves a connection that is cancelled in a statement to the garbage collector.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
