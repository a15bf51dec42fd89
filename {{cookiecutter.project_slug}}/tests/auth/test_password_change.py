"""Changes of passwords."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
# {% if cookiecutter.database == "postgresql" %}
from sqlalchemy import select

from app.core.config import Settings
from app.crud.crud_credential import credential
from app.db.base import User
from app.db.session import Database, open_database
from app.kit.errors import UnavailableError
from app.schemas.user import UserCreate
# {% else %}

# {% endif %}
from tests.support.accounts import AUTH, PASSWORD, bearer, get_me, log_in, refresh, sign_up


def change_password(
    client: TestClient, tokens: dict[str, str], new: str, *, current: str = PASSWORD
) -> Response:
    body = {"current_password": current, "new_password": new}
    header = bearer(tokens["access_token"])
    return client.post(f"{AUTH}/password", json=body, headers=header)


def test_changed_password_ends_all_sessions_and_starts_one(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    sign_up(anonymous, "eve@example.com")
    eve = log_in(anonymous, "eve@example.com")
    elsewhere = log_in(anonymous, "ada@example.com")
    response = change_password(anonymous, ada, "battery staple")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert [get_me(anonymous, it["access_token"]) for it in (ada, elsewhere)] == [401, 401]
    assert refresh(anonymous, elsewhere["refresh_token"])[0] == 401
    assert [get_me(anonymous, it["access_token"]) for it in (response.json(), eve)] == [200, 200]
    form = {"username": "ada@example.com", "password": PASSWORD}
    assert anonymous.post(f"{AUTH}/login", data=form).status_code == 401
    log_in(anonymous, "ada@example.com", "battery staple")


@pytest.mark.parametrize(
    ("current", "new", "status"),
    [("wrong horse", "battery staple", 403), (PASSWORD, "x" * 7, 422), (PASSWORD, "x" * 129, 422)],
)
def test_password_stays_after_a_refused_change(
    anonymous: TestClient, ada: dict[str, str], current: str, new: str, status: int
) -> None:
    response = change_password(anonymous, ada, new, current=current)
    assert response.status_code == status
    assert current not in response.text
    assert new not in response.text
    assert get_me(anonymous, ada["access_token"]) == 200
    log_in(anonymous, "ada@example.com")


def test_user_without_a_password_cannot_change_it(client: TestClient) -> None:
    body = {"current_password": "", "new_password": PASSWORD}
    assert client.post(f"{AUTH}/password", json=body).status_code == 403


def test_one_of_several_concurrent_changes_succeeds(
    anonymous: TestClient, ada: dict[str, str]
) -> None:
    with ThreadPoolExecutor(4) as threads:
        tries = [
            threads.submit(change_password, anonymous, ada, f"battery staple {number}")
            for number in range(4)
        ]
        answers = [attempt.result().status_code for attempt in tries]
    assert answers.count(200) == 1
    assert set(answers) <= {200, 401, 403}
# {% if cookiecutter.database == "postgresql" %}


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def test_deletion_of_a_user_waits_for_a_change_of_their_password(
    database: Database, settings: Settings
) -> None:
    """Otherwise the two could wait for each other: the change needs the user for its session."""
    async with database.transaction() as connection:
        new = UserCreate(name="Ada", email="ada@example.com")
        row = await credential.create_user(connection, new, "old")
    other = open_database(settings)
    async with database.transaction() as connection:
        assert await credential.change(connection, row.id, "old", "new")
        async with other.read() as deleting:
            with pytest.raises(UnavailableError):  # could not obtain the lock
                await deleting.execute(select(User.id).with_for_update(nowait=True))


# {%- endfilter +%}
# {% endif %}
