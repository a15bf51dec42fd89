"""Signing up, logging in and out, what is stored of it, and tokens that are none of ours."""

from concurrent.futures import ThreadPoolExecutor
from time import time
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import delete, select

from app.api.auth import get_proven
# {% if cookiecutter.database == "postgresql" %}
from app.core.config import Settings
from app.crud.crud_auth import credential, login
# {% else %}
from app.crud.crud_auth import login
# {% endif %}
from app.crud.crud_user import user
from app.db.base import Login, User
# {% if cookiecutter.database == "postgresql" %}
from app.db.session import Database, open_database
# {% else %}
from app.db.session import Database
# {% endif %}
from app.kit.auth.security import Pair, Tokens
# {% if cookiecutter.database == "postgresql" %}
from app.kit.errors import UnavailableError
# {% endif %}
from app.kit.schemas import MAX_ID
from app.schemas.user import UserCreate
from tests.support.accounts import AUTH, KEY, PASSWORD, QUICK, SETTINGS, bearer, log_in, sign_up

ADA = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
TOKENS = Tokens(SETTINGS)


@pytest.fixture
def ada(anonymous: TestClient) -> dict[str, str]:
    """Return the tokens of a user who has just logged in."""
    sign_up(anonymous, "ada@example.com")
    return log_in(anonymous, "ada@example.com")


def renew(client: TestClient, token: str) -> tuple[int, dict[str, str]]:
    response = client.post(f"{AUTH}/refresh", json={"refresh_token": token})
    return response.status_code, response.json()


def me(client: TestClient, token: str) -> int:
    response = client.get(f"{AUTH}/me", headers=bearer(token))
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"
    return response.status_code


def test_who_signs_up_can_log_in_and_see_who_they_are(anonymous: TestClient) -> None:
    created = anonymous.post(f"{AUTH}/signup", json=ADA | {"email": "Ada@Example.com"})
    assert created.status_code == 201
    tokens = log_in(anonymous, "ADA@example.com")
    assert tokens.keys() == {"access_token", "token_type", "refresh_token", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
    response = anonymous.get(f"{AUTH}/me", headers=bearer(tokens["access_token"]))
    assert response.json() == created.json()
    assert created.json() == {
        "id": created.json()["id"],
        "name": "Ada",
        "email": "ada@example.com",
        "is_superuser": False,
    }


@pytest.mark.parametrize("email", ["ada@xn--bcher-kva.example", " Ada <ada@bücher.example>"])
def test_address_logs_in_as_it_was_typed_at_sign_up(anonymous: TestClient, email: str) -> None:
    sign_up(anonymous, email)
    log_in(anonymous, email)
    log_in(anonymous, "ada@bücher.example")


def test_sign_up_cannot_make_a_superuser(anonymous: TestClient) -> None:
    response = anonymous.post(f"{AUTH}/signup", json=ADA | {"is_superuser": True})
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "body.is_superuser", "message": "unknown field"}]
    form = {"username": ADA["email"], "password": PASSWORD}
    assert anonymous.post(f"{AUTH}/login", data=form).status_code == 401


def test_address_in_use_is_a_conflict(anonymous: TestClient) -> None:
    sign_up(anonymous, "ada@example.com")
    response = anonymous.post(f"{AUTH}/signup", json=ADA | {"email": "ADA@example.com"})
    assert response.status_code == 409


@pytest.mark.parametrize(
    ("password", "status"), [("x" * 7, 422), ("x" * 8, 201), ("ü" * 128, 201), ("x" * 129, 422)]
)
def test_password_has_8_to_128_characters(
    anonymous: TestClient, password: str, status: int
) -> None:
    response = anonymous.post(f"{AUTH}/signup", json=ADA | {"password": password})
    assert response.status_code == status
    assert password not in response.text
    if status == 201:
        log_in(anonymous, "ada@example.com", password)


def test_password_beyond_all_bounds_is_not_compared(anonymous: TestClient) -> None:
    form = {"username": "ada@example.com", "password": "x" * 129}
    assert anonymous.post(f"{AUTH}/login", data=form).status_code == 422


@pytest.mark.parametrize("part", ["name", "email", "password"])
def test_half_of_a_surrogate_pair_is_the_clients_fault(anonymous: TestClient, part: str) -> None:
    """As ``\\ud800`` in JSON, which no database and no hash can take."""
    body = '{"name": "Ada", "email": "ada@example.com", "password": "correct horse"}'
    body = body.replace(f'"{part}": "', f'"{part}": "\\ud800')
    headers = {"Content-Type": "application/json"}
    response = anonymous.post(f"{AUTH}/signup", content=body.encode(), headers=headers)
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada@example.com", "wrong horse"),
        ("eve@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("eve@\U0001f600.example", PASSWORD),
    ],
)
def test_refused_login_does_not_tell_what_was_wrong(
    anonymous: TestClient, username: str, password: str
) -> None:
    sign_up(anonymous, "ada@example.com")
    form = {"username": username, "password": password}
    response = anonymous.post(f"{AUTH}/login", data=form)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["detail"] == "the address or the password is wrong"


def test_login_that_a_change_overtook_is_refused_as_others(
    app: FastAPI, anonymous: TestClient
) -> None:
    """The user was deleted, or their password changed, after it was compared."""
    compared = SimpleNamespace(password_hash=QUICK.hash("the password until now"))
    app.dependency_overrides[get_proven] = lambda: compared
    form = {"username": "ada@example.com", "password": PASSWORD}
    for user_id in (MAX_ID, sign_up(anonymous, "ada@example.com")):
        compared.id = user_id
        response = anonymous.post(f"{AUTH}/login", data=form)
        assert response.status_code == 401
        assert response.json()["detail"] == "the address or the password is wrong"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"username=%ED%A0%80&password=%ff", "application/x-www-form-urlencoded"),
        (b"username=%00&password=b", "application/x-www-form-urlencoded"),
        (b"username=a&password=b&grant_type=magic", "application/x-www-form-urlencoded"),
        (b'{"username": "a", "password": "b"}', "application/json"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"\xff", "multipart/form-data"),
    ],
)
def test_malformed_login_is_the_clients_fault(
    anonymous: TestClient, content: bytes, kind: str
) -> None:
    response = anonymous.post(f"{AUTH}/login", content=content, headers={"Content-Type": kind})
    assert response.status_code in {400, 401, 422}
    assert response.headers["content-type"] == "application/problem+json"
    errors = [tuple(error.values()) for error in response.json().get("errors", ())]
    assert len(errors) == len(set(errors))


def test_tokens_stay_out_of_caches(anonymous: TestClient, ada: dict[str, str]) -> None:
    form = {"username": "ada@example.com", "password": PASSWORD}
    answers = [
        anonymous.post(f"{AUTH}/login", data=form),
        anonymous.post(f"{AUTH}/refresh", json={"refresh_token": ada["refresh_token"]}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


def test_refresh_token_is_exchanged_for_a_new_pair(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    for _ in range(3):
        status, renewed = renew(anonymous, ada["refresh_token"])
        assert status == 200
        assert renewed["refresh_token"] != ada["refresh_token"]
        ada = renewed
        assert me(anonymous, ada["access_token"]) == 200


def test_refresh_token_used_twice_ends_its_login_and_no_other(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    elsewhere = log_in(anonymous, "ada@example.com")
    _, renewed = renew(anonymous, ada["refresh_token"])
    assert renew(anonymous, ada["refresh_token"])[0] == 401
    assert renew(anonymous, renewed["refresh_token"])[0] == 401
    assert me(anonymous, renewed["access_token"]) == 401
    assert me(anonymous, elsewhere["access_token"]) == 200
    assert renew(anonymous, elsewhere["refresh_token"])[0] == 200


def test_of_two_refreshes_at_once_one_succeeds(anonymous: TestClient, ada: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        tries = [threads.submit(renew, anonymous, ada["refresh_token"]) for _ in range(8)]
        answers = [attempt.result()[0] for attempt in tries]
    assert sorted(answers) == [200] + [401] * 7


def test_logging_out_ends_the_login_at_once(anonymous: TestClient, ada: dict[str, str]) -> None:
    body = {"refresh_token": ada["refresh_token"]}
    response = anonymous.post(f"{AUTH}/logout", json=body)
    assert (response.status_code, response.content) == (204, b"")
    assert me(anonymous, ada["access_token"]) == 401
    assert renew(anonymous, ada["refresh_token"])[0] == 401
    assert anonymous.post(f"{AUTH}/logout", json=body).status_code == 204


@pytest.mark.parametrize("path", ["refresh", "logout"])
def test_access_token_is_no_refresh_token(
    anonymous: TestClient, ada: dict[str, str], path: str
) -> None:
    body = {"refresh_token": ada["access_token"]}
    assert anonymous.post(f"{AUTH}/{path}", json=body).status_code == 401
    assert me(anonymous, ada["access_token"]) == 200


def change_password(
    client: TestClient, tokens: dict[str, str], new: str, *, current: str = PASSWORD
) -> Response:
    body = {"current_password": current, "new_password": new}
    header = bearer(tokens["access_token"])
    return client.post(f"{AUTH}/password", json=body, headers=header)


def test_changed_password_ends_all_logins_and_begins_one(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    sign_up(anonymous, "eve@example.com")
    eve = log_in(anonymous, "eve@example.com")
    elsewhere = log_in(anonymous, "ada@example.com")
    response = change_password(anonymous, ada, "battery staple")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert [me(anonymous, it["access_token"]) for it in (ada, elsewhere)] == [401, 401]
    assert renew(anonymous, elsewhere["refresh_token"])[0] == 401
    assert [me(anonymous, it["access_token"]) for it in (response.json(), eve)] == [200, 200]
    form = {"username": "ada@example.com", "password": PASSWORD}
    assert anonymous.post(f"{AUTH}/login", data=form).status_code == 401
    log_in(anonymous, "ada@example.com", "battery staple")


@pytest.mark.parametrize(
    ("current", "new", "status"),
    [("wrong horse", "battery staple", 403), (PASSWORD, "x" * 7, 422), (PASSWORD, "x" * 129, 422)],
)
def test_password_stays_where_it_cannot_be_changed(
    anonymous: TestClient, ada: dict[str, str], current: str, new: str, status: int
) -> None:
    response = change_password(anonymous, ada, new, current=current)
    assert response.status_code == status
    assert current not in response.text
    assert new not in response.text
    assert me(anonymous, ada["access_token"]) == 200
    log_in(anonymous, "ada@example.com")


def test_who_has_no_password_cannot_change_it(client: TestClient) -> None:
    body = {"current_password": "", "new_password": PASSWORD}
    assert client.post(f"{AUTH}/password", json=body).status_code == 403


def test_of_two_changes_at_once_one_succeeds(anonymous: TestClient, ada: dict[str, str]) -> None:
    with ThreadPoolExecutor(4) as threads:
        tries = [
            threads.submit(change_password, anonymous, ada, f"battery staple {number}")
            for number in range(4)
        ]
        answers = [attempt.result().status_code for attempt in tries]
    assert answers.count(200) == 1
    assert set(answers) <= {200, 401, 403}


def test_refresh_token_is_no_access_token(anonymous: TestClient, ada: dict[str, str]) -> None:
    assert me(anonymous, ada["refresh_token"]) == 401


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def open_login(database: Database, user_id: int) -> Pair:
    pair = TOKENS.issue(user_id)
    async with database.transaction() as connection:
        await login.open(connection, pair.claims)
    return pair


async def add_user(database: Database) -> int:
    async with database.transaction() as connection:
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
    async with database.transaction() as connection:
        await login.open(connection, expired.claims)
    pair = await open_login(database, user_id)
    async with database.read() as connection:
        result = await connection.scalars(select(Login.sid))
    assert result.all() == [pair.claims.sid]


async def test_renewing_does_not_make_a_login_longer(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    assert TOKENS.renew(pair.claims).claims.exp == pair.claims.exp


# {% if cookiecutter.database == "postgresql" %}
async def test_deletion_of_a_user_waits_for_a_change_of_their_password(
    database: Database, settings: Settings
) -> None:
    """Or it would hold the user, and wait for the password, of whom the change wants a login."""
    async with database.transaction() as connection:
        new = UserCreate(name="Ada", email="ada@example.com")
        row = await credential.create_user(connection, new, "old")
    other = open_database(settings)
    async with database.transaction() as connection:
        assert await credential.change(connection, row.id, "old", "new")
        async with other.read() as deleting:
            with pytest.raises(UnavailableError):  # could not obtain the lock
                await deleting.execute(select(User.id).with_for_update(nowait=True))


# {% endif %}
async def test_deleted_user_is_out_at_once(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    async with database.read() as connection:
        assert await login.get_user(connection, pair.claims) is not None
    async with database.transaction() as connection:
        await connection.execute(delete(User))
    async with database.read() as connection:
        assert await login.get_user(connection, pair.claims) is None
    async with database.transaction() as connection:
        assert not await login.renew(connection, pair.claims, pair.claims)


# {% endfilter %}
@pytest.fixture
def payload(client: TestClient) -> dict[str, Any]:
    """Return what a good token of the superuser says."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})


def test_access_ends_with_its_login() -> None:
    end = int(time()) + 10
    pair = TOKENS.renew(TOKENS.issue(1).claims.model_copy(update={"exp": end}))
    assert TOKENS.read(pair.access_token, "access").exp == end
    assert pair.expires_in <= 10


def test_token_signed_with_the_key_is_good(client: TestClient, payload: dict[str, Any]) -> None:
    assert me(client, jwt.encode(payload, KEY, "HS256")) == 200


@pytest.mark.parametrize("name", ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "type"])
def test_every_claim_is_required(client: TestClient, payload: dict[str, Any], name: str) -> None:
    del payload[name]
    assert me(client, jwt.encode(payload, KEY, "HS256")) == 401


@pytest.mark.parametrize(("name", "seconds"), [("exp", -60), ("iat", 60), ("nbf", 60)])
def test_token_of_another_time_is_refused(
    client: TestClient, payload: dict[str, Any], name: str, seconds: int
) -> None:
    times = {name: int(time()) + seconds}
    assert me(client, jwt.encode(payload | times, KEY, "HS256")) == 401


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
    assert me(client, jwt.encode(payload | changes, KEY, "HS256")) == 401


@pytest.mark.parametrize(("key", "algorithm"), [(KEY[::-1], "HS256"), (KEY, "HS512"), ("", "none")])
def test_token_signed_otherwise_is_refused(
    client: TestClient, payload: dict[str, Any], key: str, algorithm: str
) -> None:
    assert me(client, jwt.encode(payload, key, algorithm)) == 401


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
