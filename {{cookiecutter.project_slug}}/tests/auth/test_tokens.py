"""Which tokens the service accepts."""

from time import time
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

from tests.support.accounts import AUTH, KEY, TOKENS, get_me


@pytest.fixture
def payload(client: TestClient) -> dict[str, Any]:
    """Return what a good token of the superuser says."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})


def test_access_token_expires_with_its_session() -> None:
    end = int(time()) + 10
    issued = TOKENS.renew(TOKENS.issue(1).claims.model_copy(update={"exp": end}))
    assert TOKENS.read(issued.access_token, "access").exp == end
    assert issued.expires_in <= 10


def test_token_signed_with_the_key_is_valid(client: TestClient, payload: dict[str, Any]) -> None:
    assert get_me(client, jwt.encode(payload, KEY, "HS256")) == 200


@pytest.mark.parametrize("name", ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "type"])
def test_every_claim_is_required(client: TestClient, payload: dict[str, Any], name: str) -> None:
    del payload[name]
    assert get_me(client, jwt.encode(payload, KEY, "HS256")) == 401


@pytest.mark.parametrize(("name", "seconds"), [("exp", -60), ("iat", 60), ("nbf", 60)])
def test_expired_or_future_token_is_refused(
    client: TestClient, payload: dict[str, Any], name: str, seconds: int
) -> None:
    times = {name: int(time()) + seconds}
    assert get_me(client, jwt.encode(payload | times, KEY, "HS256")) == 401


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
def test_signed_token_with_invalid_claims_is_refused(
    client: TestClient, payload: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert get_me(client, jwt.encode(payload | changes, KEY, "HS256")) == 401


@pytest.mark.parametrize(("key", "algorithm"), [(KEY[::-1], "HS256"), (KEY, "HS512"), ("", "none")])
def test_token_signed_otherwise_is_refused(
    client: TestClient, payload: dict[str, Any], key: str, algorithm: str
) -> None:
    assert get_me(client, jwt.encode(payload, key, algorithm)) == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "é", "x" * 20_000])
def test_malformed_token_is_refused(client: TestClient, token: str) -> None:
    response = client.get(f"{AUTH}/me", headers={b"Authorization": f"Bearer {token}".encode()})
    assert response.status_code == 401
    response = client.post(f"{AUTH}/refresh", json={"refresh_token": token})
    assert response.status_code in {401, 422}


def test_lone_surrogate_is_no_token(anonymous: TestClient) -> None:
    body = b'{"refresh_token": "\\ud800"}'
    headers = {"Content-Type": "application/json"}
    response = anonymous.post(f"{AUTH}/refresh", content=body, headers=headers)
    assert response.status_code == 422


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "Token x"])
def test_other_authorization_header_is_refused(anonymous: TestClient, header: str) -> None:
    response = anonymous.get(f"{AUTH}/me", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
