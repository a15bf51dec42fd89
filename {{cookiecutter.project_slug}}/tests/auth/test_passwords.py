"""Passwords are hashed few at a time and hold up nobody else; the first superuser is given one."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event, Lock

import pytest
from fastapi.testclient import TestClient
from pydantic import Secret

from app.core import security
from app.core.config import Settings
from app.core.security import AuthSettings
from app.crud.crud_auth import credential
from app.db.init_db import init_db
from app.db.session import Database
from tests.auth.accounts import AUTH, PASSWORD, QUICK, REAL, sign_up

LOGINS = 41 + security.HASHES_AT_ONCE
OTHER_PASSWORD = AuthSettings.model_construct(first_superuser_password=Secret("another horse"))
NO_PASSWORD = AuthSettings.model_construct()


class Slow:
    """Compares when it is told to, and counts how many do so at the same time."""

    def __init__(self) -> None:
        self.go_on = Event()
        self.compared: list[str] = []
        self.at_once = 0
        self.most = 0
        self._lock = Lock()

    def hash(self, password: str) -> str:
        return QUICK.hash(password)

    def verify(self, password: str, stored: str) -> bool:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self.compared.append(stored)
        self.go_on.wait(10)
        with self._lock:
            self.at_once -= 1
        return QUICK.verify(password, stored)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(security, "hasher", slow)
    return slow


def log_in(client: TestClient, email: str) -> int:
    form = {"username": email, "password": PASSWORD}
    return client.post(f"{AUTH}/login", data=form).status_code


def test_unknown_address_costs_as_much_as_a_known_one(slow: Slow, anonymous: TestClient) -> None:
    """One comparison each, with a hash of the same parameters."""
    slow.go_on.set()
    sign_up(anonymous, "ada@example.com")
    assert log_in(anonymous, "ada@example.com") == 200
    assert log_in(anonymous, "eve@example.com") == 401
    known, unknown = slow.compared
    assert known.split("$")[:-2] == unknown.split("$")[:-2]
    assert known != unknown


async def test_no_password_fits_where_there_is_none() -> None:
    assert not await security.Passwords().matches("", None)


def test_many_logins_take_few_threads_and_others_pass(slow: Slow, client: TestClient) -> None:
    """More wait than the 40 threads of endpoints; none of these threads waits with them."""
    sign_up(client, "ada@example.com")
    queue = client.app_state["passwords"]._limiter
    with ThreadPoolExecutor(LOGINS) as threads:
        logins = [threads.submit(log_in, client, "ada@example.com") for _ in range(LOGINS)]
        while queue.statistics().tasks_waiting < LOGINS - security.HASHES_AT_ONCE:
            assert client.get("/health/live").status_code == 200
            assert not any(login.done() for login in logins)
        assert client.get("/api/v1/users/").status_code == 200
        slow.go_on.set()
        assert {login.result() for login in logins} == {200}
    assert slow.most == security.HASHES_AT_ONCE


def test_waiting_for_a_turn_ends(
    slow: Slow, anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "HASH_WAIT_SECONDS", 0.01)
    with ThreadPoolExecutor(3) as threads:
        logins = [threads.submit(log_in, anonymous, "ada@example.com") for _ in range(3)]
        first = next(as_completed(logins)).result()
        slow.go_on.set()
    assert first == 503
    assert sorted(login.result() for login in logins) == [401, 401, 503]


def test_service_hashes_at_full_cost() -> None:
    """As RFC 9106 recommends; just the tests lower it."""
    assert REAL.hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def opens(database: Database, password: str) -> bool:
    """Tell whether the first superuser can log in with it."""
    async with database.read() as connection:
        row = await credential.get_by_email(connection, "admin@example.com")
    return row is not None and row.password_hash and QUICK.verify(password, row.password_hash)


async def test_first_password_is_given_once(database: Database, settings: Settings) -> None:
    await init_db(database, settings)
    assert await opens(database, PASSWORD)
    for later in (OTHER_PASSWORD, NO_PASSWORD):
        await init_db(database, settings.model_copy(update={"auth": later}))
        assert await opens(database, PASSWORD)


async def test_developer_may_add_the_first_password_later(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await init_db(database, settings.model_copy(update={"auth": NO_PASSWORD}))
    assert "admin@example.com cannot log in" in caplog.text
    await init_db(database, settings)
    assert await opens(database, PASSWORD)


async def test_first_password_is_required_elsewhere(database: Database, settings: Settings) -> None:
    changes = {"environment": "production", "auth": NO_PASSWORD}
    with pytest.raises(ValueError, match="FIRST_SUPERUSER_PASSWORD must be set in production"):
        await init_db(database, settings.model_copy(update=changes))


# {%- endfilter +%}
