"""Requests that broke other services."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.api.test_users import ADA, USERS

TOO_LARGE = 2**63


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b'{"name": 1e999, "email": "ada@example.com"}',
        b'{"name": "\\ud800", "email": "ada@example.com"}',
        b'{"\\ud800": 1}',
        b'{"name": "nul\\u0000", "email": "ada@example.com"}',
        b'{"name": "Ada", "email": "nul\\u0000@example.com"}',
        b'{"name":',
        b"[" * 100_000,
        b"9" * 5000,
        b"\xff\xfe",
        b"[]",
        b"null",
        b"",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_malformed_body_is_the_clients_fault(client: TestClient, body: bytes) -> None:
    response = client.post(USERS, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_body_that_is_not_declared_as_json_is_refused(client: TestClient) -> None:
    assert client.post(USERS, content=json.dumps(ADA).encode()).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        f"{USERS}?limit=-1",
        f"{USERS}?limit={TOO_LARGE}",
        f"{USERS}?after=-1",
        f"{USERS}?after={TOO_LARGE}",
        f"{USERS}?limit=many",
        f"{USERS}0",
        f"{USERS}-1",
        f"{USERS}{TOO_LARGE}",
        f"{USERS}%00",
        f"{USERS}%ff",
    ],
)
def test_number_out_of_range_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 422


def test_largest_id_can_be_asked_for(client: TestClient) -> None:
    assert client.get(f"{USERS}{TOO_LARGE - 1}").status_code == 404
    assert client.get(f"{USERS}?after={TOO_LARGE - 1}").json()["items"] == []


@pytest.mark.parametrize("path", ["//", "/api//v1/users", f"{USERS}/", "/%00", "/docs/../x"])
def test_strange_path_is_not_a_fault(client: TestClient, path: str) -> None:
    assert client.get(path).status_code < 500
