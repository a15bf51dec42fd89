"""What is logged of requests: the id of each, one line, and nothing personal."""

import json
import logging
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.kit.logging import JsonFormatter
from tests.support.users import USERS

# Part of every name, address, password and token that is sent.
PRIVATE = "lovelace"
# {% if cookiecutter.auth %}
ADA = {"name": PRIVATE, "email": f"{PRIVATE}@example.com", "password": f"{PRIVATE}1815"}
# {% else %}
ADA = {"name": PRIVATE, "email": f"{PRIVATE}@example.com"}
# {% endif %}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="app.access")
    caplog.handler.setFormatter(JsonFormatter())
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in log.text.splitlines()]
    return [line for line in parsed if line["logger"] == "app.access"]


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/health/live", "/health/live", 200),
        ("/api/v1/users/7?limit=1", "/api/v1/users/{id}", 404),
        ("/api/v1/users", "/api/v1/users/", 200),
        ("/nowhere", None, 404),
        ("/fault", "/fault", 500),
    ],
)
def test_line_names_the_route_and_not_the_path(
    client: TestClient, log: pytest.LogCaptureFixture, path: str, route: str | None, status: int
) -> None:
    response = client.get(path)
    (line,) = lines(log)
    assert (line["method"], line["route"], line["status"]) == ("GET", route, status)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert 0 < line["duration_ms"] < 60_000


def test_line_tells_head_from_get(client: TestClient, log: pytest.LogCaptureFixture) -> None:
    client.head("/health/live")
    (line,) = lines(log)
    assert (line["method"], line["route"]) == ("HEAD", "/health/live")


def test_nobody_can_forge_a_line(log: pytest.LogCaptureFixture) -> None:
    logging.getLogger("app.access").info("%s", 'a\r\n{"level": "INFO"}')
    (line,) = lines(log)
    assert line["message"] == 'a\r\n{"level": "INFO"}'


def test_error_is_logged_with_its_origin(log: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("app.access").exception("lookup failed")
    (line,) = lines(log)
    assert "KeyError: 'gone'" in line["exception"]


def test_nothing_personal_is_logged(client: TestClient, log: pytest.LogCaptureFixture) -> None:
    log.set_level(logging.WARNING, logger="httpx2")  # the client of this test
    log.set_level(logging.INFO)
    answers = [
        client.post(USERS, json=ADA),
        client.post(USERS, json=ADA),
        client.post(USERS, json={"email": PRIVATE}),
        client.post(USERS, content='["lovelace'),
        client.get(f"{USERS}{PRIVATE}"),
        client.get(f"/{PRIVATE}?email={PRIVATE}"),
        client.get(f"/fault?email={PRIVATE}", headers={"Cookie": PRIVATE, "Referer": PRIVATE}),
        # {% if cookiecutter.auth %}
        client.get(USERS, headers={"Authorization": f"Bearer {PRIVATE}"}),
        client.post("/api/v1/auth/login", data={"username": PRIVATE, "password": PRIVATE}),
        client.post("/api/v1/auth/refresh", json={"refresh_token": PRIVATE}),
        # {% endif %}
    ]
    statuses = [answer.status_code for answer in answers]
    # {% if cookiecutter.auth %}
    assert statuses == [201, 409, 422, 422, 422, 404, 500, 401, 401, 401]
    # {% else %}
    assert statuses == [201, 409, 422, 422, 422, 404, 500]
    # {% endif %}
    assert log.text.count('"app.access"') == len(answers)
    assert PRIVATE not in log.text
    # {% if cookiecutter.auth %}
    assert client.headers["Authorization"].split()[1] not in log.text
    # {% endif %}


def test_callers_request_id_is_kept(client: TestClient) -> None:
    response = client.get("/health/live", headers={"X-Request-ID": "checkout-42.a_b"})
    assert response.headers["X-Request-ID"] == "checkout-42.a_b"


@pytest.mark.parametrize("inbound", ["", "a b", "x" * 65, "a\tb", "é", '"}', "a;b"])
def test_unsafe_request_id_is_replaced(client: TestClient, inbound: str) -> None:
    answer = client.get("/health/live", headers={b"X-Request-ID": inbound.encode()})
    assert len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Request-ID"].isalnum()


def test_each_request_gets_an_id_of_its_own(client: TestClient) -> None:
    ids = {client.get("/health/live").headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5


def test_id_stands_in_the_log_lines_of_the_request(
    app: FastAPI, client: TestClient, log: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        logging.getLogger("test").warning("at work")

    app.add_api_route("/work", work)
    client.get("/work", headers={"X-Request-ID": "abc"})
    assert '"message": "at work", "request_id": "abc"' in log.text
