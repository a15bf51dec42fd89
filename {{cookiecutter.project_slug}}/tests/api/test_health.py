"""What load balancers see."""

import asyncio

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from app.api import health
from app.api.health import ready
from app.core.errors import UnavailableError
from app.db.session import Database


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

    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(health, "run_from_loop", hang)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "the database does not answer in time"


async def test_checks_at_once_ask_the_database_once(app: FastAPI, database: Database) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "alembic_version" in statement:  # others may work meanwhile
            statements.append(statement)

    request = Request({"type": "http", "app": app})
    event.listen(Engine, "before_cursor_execute", note)
    try:
        await asyncio.gather(*(ready(request, database) for _ in range(8)))
        assert len(statements) == 1
        await ready(request, database)
        assert len(statements) == 2
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_not_ready_while_shutting_down(app: FastAPI, client: TestClient) -> None:
    app.state.is_draining = True
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "the service is shutting down"
