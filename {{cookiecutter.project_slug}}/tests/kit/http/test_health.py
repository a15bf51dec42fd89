"""What load balancers see, and that waiting requests delay no others."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from app.api.deps import DatabaseDep
from app.db.session import Database
from app.kit.errors import UnavailableError
from app.kit.http import health
from app.kit.http.health import ready


def test_service_is_alive_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json() == {"status": "ok"}


def test_not_ready_without_database_but_alive(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Database) -> None:
        raise UnavailableError("the database does not answer")

    monkeypatch.setattr(Database, "ping", fail)
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200


def test_not_ready_when_the_database_hangs(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr(health, "call_from_async", hang)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "the database does not answer in time"


async def test_checks_at_once_ask_the_database_once(app: FastAPI, database: Database) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "alembic_version" in statement:  # others may work meanwhile
            statements.append(statement)

    request = Request({"type": "http", "app": app, "state": {"database": database}})
    event.listen(Engine, "before_cursor_execute", note)
    try:
        await asyncio.gather(*(ready(request) for _ in range(8)))
        assert len(statements) == 1
        await ready(request)
        assert len(statements) == 2
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_not_ready_while_shutting_down(app: FastAPI, client: TestClient) -> None:
    app.state.shutdown.is_draining = True
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "the service is shutting down"


def test_waiting_endpoint_does_not_delay_others(app: FastAPI, client: TestClient) -> None:
    waiting = asyncio.Event()
    go_on = asyncio.Event()

    async def wait() -> str:
        waiting.set()
        await go_on.wait()
        return "done"

    async def release() -> bool:
        await waiting.wait()
        go_on.set()
        return True

    app.add_api_route("/wait", wait)
    app.add_api_route("/release", release)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(client.get, "/wait")
        assert client.get("/release").json() is True
        assert answer.result(10).json() == "done"


def test_full_pool_leaves_the_loop_free(app: FastAPI, client: TestClient) -> None:
    """While requests wait for connections, those that need none are answered."""
    taken = asyncio.Event()
    go_on = asyncio.Event()

    async def hold(db: DatabaseDep) -> None:
        for _ in range(2):
            # {% filter replace("await ", cookiecutter.__await) %}
            await db._pool._readers.acquire()
            # {% endfilter %}
        taken.set()
        await go_on.wait()
        for _ in range(2):
            db._pool._readers.release()

    async def release() -> None:
        await taken.wait()
        go_on.set()

    app.add_api_route("/hold", hold)
    app.add_api_route("/release", release)
    with ThreadPoolExecutor(5) as threads:
        holding = threads.submit(client.get, "/hold")
        waiting = [threads.submit(client.get, "/api/v1/users/") for _ in range(4)]
        assert client.get("/health/live").status_code == 200
        client.get("/release")
        assert holding.result(10).status_code == 200
        assert {answer.result(10).status_code for answer in waiting} == {200}
