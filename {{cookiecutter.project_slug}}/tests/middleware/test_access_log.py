"""One line per request."""

import json
import logging
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.logging import JsonFormatter


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
    assert line["duration_ms"] > 0


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
