"""Signing up, logging in and out, seen by clients."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from app.api.auth import get_proven
from app.schemas.base import MAX_ID
from tests.auth.accounts import AUTH, PASSWORD, QUICK, bearer, log_in, sign_up

ADA = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def ada(anonymous: TestClient) -> dict[str, str]:
    """Return the tokens of a user who has just logged in."""
    sign_up(anonymous, "ada@example.com")
    return log_in(anonymous, "ada@example.com")


def renew(client: TestClient, token: str) -> tuple[int, dict[str, str]]:
    response = client.post(f"{AUTH}/refresh", json={"refresh_token": token})
    return response.status_code, response.json()


def me(client: TestClient, tokens: dict[str, str]) -> int:
    return client.get(f"{AUTH}/me", headers=bearer(tokens["access_token"])).status_code


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


def test_nobody_becomes_superuser_by_signing_up(anonymous: TestClient) -> None:
    response = anonymous.post(f"{AUTH}/signup", json=ADA | {"is_superuser": True, "id": 7})
    assert response.json()["is_superuser"] is False


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
        assert me(anonymous, ada) == 200


def test_refresh_token_used_twice_ends_its_login_and_no_other(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    elsewhere = log_in(anonymous, "ada@example.com")
    _, renewed = renew(anonymous, ada["refresh_token"])
    assert renew(anonymous, ada["refresh_token"])[0] == 401
    assert renew(anonymous, renewed["refresh_token"])[0] == 401
    assert me(anonymous, renewed) == 401
    assert me(anonymous, elsewhere) == 200
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
    assert me(anonymous, ada) == 401
    assert renew(anonymous, ada["refresh_token"])[0] == 401
    assert anonymous.post(f"{AUTH}/logout", json=body).status_code == 204


@pytest.mark.parametrize("path", ["refresh", "logout"])
def test_access_token_is_no_refresh_token(
    anonymous: TestClient, ada: dict[str, str], path: str
) -> None:
    body = {"refresh_token": ada["access_token"]}
    assert anonymous.post(f"{AUTH}/{path}", json=body).status_code == 401
    assert me(anonymous, ada) == 200


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
    assert [me(anonymous, tokens) for tokens in (ada, elsewhere)] == [401, 401]
    assert renew(anonymous, elsewhere["refresh_token"])[0] == 401
    assert [me(anonymous, tokens) for tokens in (response.json(), eve)] == [200, 200]
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
    assert me(anonymous, ada) == 200
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
    assert me(anonymous, {"access_token": ada["refresh_token"]}) == 401
