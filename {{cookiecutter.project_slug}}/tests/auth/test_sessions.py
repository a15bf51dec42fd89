"""Sessions: refresh, reuse of refresh tokens, logout, and what is stored."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select

from app.core.about import ABOUT
from app.crud.crud_session import session
from app.crud.crud_user import user
from app.db.base import Session, User
from app.db.session import Database
from app.kit.auth.tokens import IssuedTokens, Tokens
from app.schemas.user import UserCreate
from tests.support.accounts import AUTH, PASSWORD, SETTINGS, TOKENS, get_me, log_in, refresh


def test_tokens_stay_out_of_caches(anonymous: TestClient, ada: dict[str, str]) -> None:
    form = {"username": "ada@example.com", "password": PASSWORD}
    answers = [
        anonymous.post(f"{AUTH}/login", data=form),
        anonymous.post(f"{AUTH}/refresh", json={"refresh_token": ada["refresh_token"]}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


def test_refresh_token_is_exchanged_for_new_tokens(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    for _ in range(3):
        status, renewed = refresh(anonymous, ada["refresh_token"])
        assert status == 200
        assert renewed["refresh_token"] != ada["refresh_token"]
        ada = renewed
        assert get_me(anonymous, ada["access_token"]) == 200


def test_lost_answer_can_be_asked_for_again(anonymous: TestClient, ada: dict[str, str]) -> None:
    answers = [refresh(anonymous, ada["refresh_token"]) for _ in range(3)]
    for status, tokens in answers:
        assert status == 200
        assert get_me(anonymous, tokens["access_token"]) == 200
    _, kept = answers[1]
    status, renewed = refresh(anonymous, kept["refresh_token"])
    assert status == 200
    assert get_me(anonymous, renewed["access_token"]) == 200


def test_reuse_after_the_grace_revokes_the_session_and_no_other(
    anonymous: TestClient, ada: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = log_in(anonymous, "ada@example.com")
    _, renewed = refresh(anonymous, ada["refresh_token"])
    monkeypatch.setattr(anonymous.app_state["tokens"], "refresh_grace_seconds", 0)
    status, problem = refresh(anonymous, ada["refresh_token"])
    assert (status, problem["detail"]) == (401, "session expired or revoked")
    assert refresh(anonymous, renewed["refresh_token"])[0] == 401
    assert get_me(anonymous, renewed["access_token"]) == 401
    assert get_me(anonymous, elsewhere["access_token"]) == 200
    assert refresh(anonymous, elsewhere["refresh_token"])[0] == 200


def test_token_before_the_last_one_revokes_the_session_at_once(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    """Its successor was used, so the client has the answer: somebody else repeats the request."""
    _, second = refresh(anonymous, ada["refresh_token"])
    _, third = refresh(anonymous, second["refresh_token"])
    assert refresh(anonymous, ada["refresh_token"])[0] == 401
    assert refresh(anonymous, third["refresh_token"])[0] == 401


def test_concurrent_refreshes_get_the_same_refresh_token(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    with ThreadPoolExecutor(8) as threads:
        tries = [threads.submit(refresh, anonymous, ada["refresh_token"]) for _ in range(8)]
        answers = [attempt.result() for attempt in tries]
    assert {status for status, _ in answers} == {200}
    successors = {TOKENS.read(body["refresh_token"], "refresh").jti for _, body in answers}
    assert len(successors) == 1
    assert refresh(anonymous, answers[0][1]["refresh_token"])[0] == 200


def test_logout_ends_the_session_at_once(anonymous: TestClient, ada: dict[str, str]) -> None:
    body = {"refresh_token": ada["refresh_token"]}
    response = anonymous.post(f"{AUTH}/logout", json=body)
    assert (response.status_code, response.content) == (204, b"")
    assert get_me(anonymous, ada["access_token"]) == 401
    assert refresh(anonymous, ada["refresh_token"])[0] == 401
    assert anonymous.post(f"{AUTH}/logout", json=body).status_code == 204


@pytest.mark.parametrize("path", ["refresh", "logout"])
def test_access_token_is_no_refresh_token(
    anonymous: TestClient, ada: dict[str, str], path: str
) -> None:
    body = {"refresh_token": ada["access_token"]}
    assert anonymous.post(f"{AUTH}/{path}", json=body).status_code == 401
    assert get_me(anonymous, ada["access_token"]) == 200


def test_refresh_token_is_no_access_token(anonymous: TestClient, ada: dict[str, str]) -> None:
    assert get_me(anonymous, ada["refresh_token"]) == 401


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def open_session(database: Database, user_id: int) -> IssuedTokens:
    issued = TOKENS.issue(user_id)
    async with database.transaction() as connection:
        await session.open(connection, issued.claims)
    return issued


async def add_user(database: Database) -> int:
    async with database.transaction() as connection:
        row = await user.create(connection, UserCreate(name="Ada", email="ada@example.com"))
    return row.id


async def test_repetition_does_not_prolong_the_grace(database: Database) -> None:
    issued = await open_session(database, await add_user(database))
    successor = TOKENS.renew(issued.claims)
    times = []
    for _ in range(2):
        async with database.transaction() as connection:
            assert await session.renew(connection, issued.claims, successor.claims, 30)
            times.append(await connection.scalar(select(Session.replaced_at)))
    assert times[0] is not None
    assert times[0] == times[1]


async def test_grace_of_zero_revokes_at_once(database: Database) -> None:
    issued = await open_session(database, await add_user(database))
    successor = TOKENS.renew(issued.claims)
    async with database.transaction() as connection:
        assert await session.renew(connection, issued.claims, successor.claims, 0)
        assert not await session.renew(connection, issued.claims, successor.claims, 0)
    async with database.read() as connection:
        assert await session.get_user(connection, successor.claims) is None


async def test_tokens_themselves_are_not_stored(database: Database) -> None:
    issued = await open_session(database, await add_user(database))
    async with database.read() as connection:
        result = await connection.execute(select(Session))
    (row,) = result.all()
    assert row.token_digest == issued.claims.digest
    assert issued.claims.jti not in map(str, row)
    assert issued.refresh_token not in map(str, row)


async def test_login_deletes_expired_sessions(database: Database) -> None:
    user_id = await add_user(database)
    past = SETTINGS.model_copy(update={"refresh_token_seconds": -1})
    expired = Tokens(past, issuer=ABOUT.title).issue(user_id)
    async with database.transaction() as connection:
        await session.open(connection, expired.claims)
    issued = await open_session(database, user_id)
    async with database.read() as connection:
        result = await connection.scalars(select(Session.sid))
    assert result.all() == [issued.claims.sid]


async def test_refresh_does_not_prolong_a_session(database: Database) -> None:
    issued = await open_session(database, await add_user(database))
    assert TOKENS.renew(issued.claims).claims.exp == issued.claims.exp


async def test_sessions_of_a_deleted_user_end_at_once(database: Database) -> None:
    issued = await open_session(database, await add_user(database))
    async with database.read() as connection:
        assert await session.get_user(connection, issued.claims) is not None
    async with database.transaction() as connection:
        await connection.execute(delete(User))
    async with database.read() as connection:
        assert await session.get_user(connection, issued.claims) is None
    async with database.transaction() as connection:
        assert not await session.renew(connection, issued.claims, issued.claims, 0)


# {%- endfilter +%}
