"""What logs must not hold."""

import logging

import pytest
from fastapi.testclient import TestClient

from app.core.logging import JsonFormatter
from tests.api.test_users import USERS

# Part of every name, address, password and token that is sent.
PRIVATE = "lovelace"
# {% if cookiecutter.auth %}
ADA = {"name": PRIVATE, "email": f"{PRIVATE}@example.com", "password": f"{PRIVATE}1815"}
# {% else %}
ADA = {"name": PRIVATE, "email": f"{PRIVATE}@example.com"}
# {% endif %}


def test_nothing_personal_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="httpx2")  # the client of this test
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(JsonFormatter())
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
    assert caplog.text.count('"app.access"') == len(answers)
    assert PRIVATE not in caplog.text
    # {% if cookiecutter.auth %}
    assert client.headers["Authorization"].split()[1] not in caplog.text
    # {% endif %}
