"""Logins: what is stored of them, and tokens that somebody made up or that came too late."""

from time import time
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select
# {% if cookiecutter.database == "postgresql" %}
from sqlalchemy.exc import DBAPIError
# {% endif %}

from app.core.security import Pair, Tokens
# {% if cookiecutter.database == "postgresql" %}
from app.crud.crud_auth import credential, login
# {% else %}
from app.crud.crud_auth import login
# {% endif %}
from app.crud.crud_user import user
from app.db.base import Login, User
from app.db.session import Database
from app.schemas.user import UserCreate
from tests.auth.accounts import AUTH, KEY, SETTINGS, bearer

TOKENS = Tokens(SETTINGS)


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def open_login(database: Database, user_id: int) -> Pair:
    pair = TOKENS.issue(user_id)
    async with database.write() as connection:
        await login.open(connection, pair.claims)
    return pair


async def add_user(database: Database) -> int:
    async with database.write() as connection:
        row = await user.create(connection, UserCreate(name="Ada", email="ada@example.com"))
    return row.id


async def test_tokens_themselves_are_not_stored(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    async with database.read() as connection:
        result = await connection.execute(select(Login))
    (row,) = result.all()
    assert row.token_digest == pair.claims.digest
    assert pair.claims.jti not in map(str, row)
    assert pair.refresh_token not in map(str, row)


async def test_expired_logins_are_forgotten_with_the_next(database: Database) -> None:
    user_id = await add_user(database)
    expired = Tokens(SETTINGS.model_copy(update={"refresh_token_seconds": -1})).issue(user_id)
    async with database.write() as connection:
        await login.open(connection, expired.claims)
    pair = await open_login(database, user_id)
    async with database.read() as connection:
        result = await connection.scalars(select(Login.sid))
    assert result.all() == [pair.claims.sid]


async def test_renewing_does_not_make_a_login_longer(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    assert TOKENS.renew(pair.claims).claims.exp == pair.claims.exp


# {% if cookiecutter.database == "postgresql" %}
async def test_deletion_of_a_user_waits_for_a_change_of_their_password(database: Database) -> None:
    """Or it would hold the user, and wait for the password, of whom the change wants a login."""
    async with database.write() as connection:
        new = UserCreate(name="Ada", email="ada@example.com")
        row = await credential.create_user(connection, new, "old")
    async with database.write() as connection:
        assert await credential.change(connection, row.id, "old", "new")
        async with database._engine.connect() as deleting:
            with pytest.raises(DBAPIError, match="could not obtain lock"):
                await deleting.execute(select(User.id).with_for_update(nowait=True))


# {% endif %}
async def test_deleted_user_is_out_at_once(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    async with database.read() as connection:
        assert await login.get_user(connection, pair.claims) is not None
    async with database.write() as connection:
        await connection.execute(delete(User))
    async with database.read() as connection:
        assert await login.get_user(connection, pair.claims) is None
    async with database.write() as connection:
        assert not await login.renew(connection, pair.claims, pair.claims)


# {% endfilter %}
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
    end = int(time()) + 10
    pair = TOKENS.renew(TOKENS.issue(1).claims.model_copy(update={"exp": end}))
    assert TOKENS.read(pair.access_token, "access").exp == end
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
def test_token_that_is_nonsense_is_refused(client: TestClient, token: str) -> None:
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
