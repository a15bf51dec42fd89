"""What load balancers see."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

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


def test_not_ready_while_shutting_down(app: FastAPI, client: TestClient) -> None:
    app.state.is_draining = True
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["detail"] == "the service is shutting down"
