"""Tokens that somebody made up, or that came too late."""

from time import time
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

from app.core.tokens import Tokens
from tests.auth.accounts import AUTH, SETTINGS, bearer

assert SETTINGS.secret_key
KEY = SETTINGS.secret_key.get_secret_value()


@pytest.fixture
def payload(client: TestClient) -> dict[str, Any]:
    """Return what a good token of the superuser says."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})


def status(client: TestClient, token: str) -> int:
    response = client.get(f"{AUTH}/me", headers=bearer(token))
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"
    return response.status_code


def test_access_ends_with_its_login() -> None:
    tokens = Tokens(SETTINGS)
    end = int(time()) + 10
    pair = tokens.renew(tokens.issue(1).claims.model_copy(update={"exp": end}))
    assert tokens.read(pair.access_token, "access").exp == end
    assert pair.expires_in <= 10


def test_token_signed_with_the_key_is_good(client: TestClient, payload: dict[str, Any]) -> None:
    assert status(client, jwt.encode(payload, KEY, "HS256")) == 200


@pytest.mark.parametrize("name", ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "type"])
def test_every_claim_is_required(client: TestClient, payload: dict[str, Any], name: str) -> None:
    del payload[name]
    assert status(client, jwt.encode(payload, KEY, "HS256")) == 401


@pytest.mark.parametrize(("name", "seconds"), [("exp", -60), ("iat", 60), ("nbf", 60)])
def test_token_of_another_time_is_refused(
    client: TestClient, payload: dict[str, Any], name: str, seconds: int
) -> None:
    times = {name: int(time()) + seconds}
    assert status(client, jwt.encode(payload | times, KEY, "HS256")) == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "ada"},
        {"sub": ""},
        {"sub": "0"},
        {"sub": "-1"},
        {"sub": "1.5"},
        {"sub": str(2**63)},
        {"sub": "9" * 5000},
        {"sub": "\x00"},
        {"sub": str(2**63 - 1)},
        {"sid": "0" * 32},
        {"sid": "\x00"},
        {"iss": "somebody else"},
        {"aud": "another service"},
        {"exp": "soon"},
        {"type": "refresh"},
        {"type": None},
    ],
    ids=str,
)
def test_signed_token_that_makes_no_sense_is_refused(
    client: TestClient, payload: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert status(client, jwt.encode(payload | changes, KEY, "HS256")) == 401


@pytest.mark.parametrize(("key", "algorithm"), [(KEY[::-1], "HS256"), (KEY, "HS512"), ("", "none")])
def test_token_signed_otherwise_is_refused(
    client: TestClient, payload: dict[str, Any], key: str, algorithm: str
) -> None:
    assert status(client, jwt.encode(payload, key, algorithm)) == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "é", "x" * 20_000])
def test_nonsense_is_refused(client: TestClient, token: str) -> None:
    response = client.get(f"{AUTH}/me", headers={b"Authorization": f"Bearer {token}".encode()})
    assert response.status_code == 401
    response = client.post(f"{AUTH}/refresh", json={"refresh_token": token})
    assert response.status_code in {401, 422}


def test_half_of_a_surrogate_pair_is_no_token(anonymous: TestClient) -> None:
    body = b'{"refresh_token": "\\ud800"}'
    headers = {"Content-Type": "application/json"}
    response = anonymous.post(f"{AUTH}/refresh", content=body, headers=headers)
    assert response.status_code == 422


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "Token x"])
def test_other_header_is_refused(anonymous: TestClient, header: str) -> None:
    response = anonymous.get(f"{AUTH}/me", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
