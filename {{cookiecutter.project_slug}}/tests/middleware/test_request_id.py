"""The id of a request."""

import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core.logging import JsonFormatter


def test_callers_id_is_kept(client: TestClient) -> None:
    response = client.get("/health/live", headers={"X-Request-ID": "checkout-42.a_b"})
    assert response.headers["X-Request-ID"] == "checkout-42.a_b"


@pytest.mark.parametrize("inbound", ["", "a b", "x" * 65, "a\tb", "é", '"}', "a;b"])
def test_unsafe_id_is_replaced(client: TestClient, inbound: str) -> None:
    answer = client.get("/health/live", headers={b"X-Request-ID": inbound.encode()})
    assert len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Request-ID"].isalnum()


def test_each_request_gets_an_id_of_its_own(client: TestClient) -> None:
    ids = {client.get("/health/live").headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5


def test_id_stands_in_the_log_lines_of_the_request(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(JsonFormatter())

    def work() -> None:
        logging.getLogger("test").warning("at work")

    app.add_api_route("/work", work)
    client.get("/work", headers={"X-Request-ID": "abc"})
    assert '"message": "at work", "request_id": "abc"' in caplog.text
