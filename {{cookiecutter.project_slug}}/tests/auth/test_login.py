"""Sign-up and login."""

from types import SimpleNamespace
from unicodedata import normalize

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.credentials import get_verified_credential
from app.kit.schemas import MAX_ID
from tests.support.accounts import AUTH, PASSWORD, QUICK, bearer, log_in, sign_up

ADA = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}


def test_new_user_logs_in_and_reads_their_account(anonymous: TestClient) -> None:
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


@pytest.mark.parametrize("password", ["crème brûlée", "각각각각각각각각", "correct\u00a0hörse"])
def test_password_logs_in_however_a_keyboard_composes_it(
    anonymous: TestClient, password: str
) -> None:
    """RFC 8265: spaces are ASCII, and characters are composed."""
    composed, decomposed = normalize("NFC", password), normalize("NFD", password)
    assert composed != decomposed
    for typed in (composed, decomposed):
        email = f"ada{len(typed)}@example.com"
        new = ADA | {"email": email, "password": typed}
        assert anonymous.post(f"{AUTH}/signup", json=new).status_code == 201
        for other in (composed, decomposed, composed.replace("\u00a0", " ")):
            log_in(anonymous, email, other)


def test_length_of_a_password_is_that_of_its_composed_characters(anonymous: TestClient) -> None:
    longest, too_short = (normalize("NFD", "ü" * length) for length in (128, 7))
    for password, status in ((longest, 201), (too_short, 422)):
        new = ADA | {"email": f"ada{status}@example.com", "password": password}
        assert anonymous.post(f"{AUTH}/signup", json=new).status_code == status
    log_in(anonymous, "ada201@example.com", "ü" * 128)


def test_password_of_excessive_length_is_not_compared(anonymous: TestClient) -> None:
    form = {"username": "ada@example.com", "password": "x" * 129}
    assert anonymous.post(f"{AUTH}/login", data=form).status_code == 422


@pytest.mark.parametrize("part", ["name", "email", "password"])
def test_lone_surrogate_is_refused_at_sign_up(anonymous: TestClient, part: str) -> None:
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
def test_failed_login_does_not_tell_what_was_wrong(
    anonymous: TestClient, username: str, password: str
) -> None:
    sign_up(anonymous, "ada@example.com")
    form = {"username": username, "password": password}
    response = anonymous.post(f"{AUTH}/login", data=form)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["detail"] == "wrong e-mail address or password"


def test_login_fails_the_same_way_when_the_account_changes_meanwhile(
    app: FastAPI, anonymous: TestClient
) -> None:
    """The user was deleted, or their password changed, after it was compared."""
    compared = SimpleNamespace(password_hash=QUICK.hash("the password until now"))
    app.dependency_overrides[get_verified_credential] = lambda: compared
    form = {"username": "ada@example.com", "password": PASSWORD}
    for user_id in (MAX_ID, sign_up(anonymous, "ada@example.com")):
        compared.id = user_id
        response = anonymous.post(f"{AUTH}/login", data=form)
        assert response.status_code == 401
        assert response.json()["detail"] == "wrong e-mail address or password"


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
def test_malformed_login_is_a_client_error(
    anonymous: TestClient, content: bytes, kind: str
) -> None:
    response = anonymous.post(f"{AUTH}/login", content=content, headers={"Content-Type": kind})
    assert response.status_code in {400, 401, 422}
    assert response.headers["content-type"] == "application/problem+json"
    errors = [tuple(error.values()) for error in response.json().get("errors", ())]
    assert len(errors) == len(set(errors))
