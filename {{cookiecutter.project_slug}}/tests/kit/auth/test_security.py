"""Passwords are hashed few at a time, and no secret works by default where people work."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event, Lock

import pytest
from fastapi.testclient import TestClient
from pydantic import Secret

from app import setup
from app.core.config import Settings, load_settings
from app.crud.crud_credential import credential
from app.db.init_db import init_db
from app.db.session import Database
from app.kit.auth import passwords
from app.kit.auth.settings import AuthSettings
from app.kit.auth.tokens import Tokens
from app.kit.errors import UnauthorizedError
from tests.support import ROOT
from tests.support.accounts import AUTH, PASSWORD, QUICK, REAL, SETTINGS, sign_up

LOGINS = 41 + passwords.MAX_CONCURRENT_HASHES
OTHER_PASSWORD = {"first_superuser_password": Secret("another horse")}
NO_PASSWORD = {"first_superuser_password": None}
SHORTEST_KEY = "0123456789abcdef" * 2


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
    monkeypatch.setattr(passwords, "hasher", slow)
    return slow


def try_login(client: TestClient, email: str) -> int:
    form = {"username": email, "password": PASSWORD}
    return client.post(f"{AUTH}/login", data=form).status_code


def test_unknown_address_costs_as_much_as_a_known_one(slow: Slow, anonymous: TestClient) -> None:
    """One comparison each, with a hash of the same parameters."""
    slow.go_on.set()
    sign_up(anonymous, "ada@example.com")
    assert try_login(anonymous, "ada@example.com") == 200
    assert try_login(anonymous, "eve@example.com") == 401
    known, unknown = slow.compared
    assert known.split("$")[:-2] == unknown.split("$")[:-2]
    assert known != unknown


async def test_account_without_a_password_cannot_log_in() -> None:
    assert not await passwords.Passwords().verify("", None)


def test_many_logins_use_few_threads_and_do_not_delay_other_requests(
    slow: Slow, client: TestClient
) -> None:
    """More wait than the 40 threads of endpoints; none of these threads waits with them."""
    sign_up(client, "ada@example.com")
    queue = client.app_state["passwords"]._limiter
    with ThreadPoolExecutor(LOGINS) as threads:
        logins = [threads.submit(try_login, client, "ada@example.com") for _ in range(LOGINS)]
        while queue.statistics().tasks_waiting < LOGINS - passwords.MAX_CONCURRENT_HASHES:
            assert client.get("/health/live").status_code == 200
            assert not any(login.done() for login in logins)
        assert client.get("/api/v1/users/").status_code == 200
        slow.go_on.set()
        assert {login.result() for login in logins} == {200}
    assert slow.most == passwords.MAX_CONCURRENT_HASHES


def test_waiting_for_the_password_queue_ends(
    slow: Slow, anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "HASH_WAIT_SECONDS", 0.01)
    with ThreadPoolExecutor(3) as threads:
        logins = [threads.submit(try_login, anonymous, "ada@example.com") for _ in range(3)]
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
        await init_db(database, settings.model_copy(update=later))
        assert await opens(database, PASSWORD)


async def test_developer_may_add_the_first_password_later(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await init_db(database, settings.model_copy(update=NO_PASSWORD))
    assert "admin@example.com cannot log in" in caplog.text
    await init_db(database, settings)
    assert await opens(database, PASSWORD)


async def test_first_password_is_required_elsewhere(database: Database, settings: Settings) -> None:
    changes = {"environment": "production", **NO_PASSWORD}
    with pytest.raises(ValueError, match="FIRST_SUPERUSER_PASSWORD must be set in production"):
        await init_db(database, settings.model_copy(update=changes))


# {% endfilter %}
@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name the file that settings are read from, and that is to be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "{{ cookiecutter.database }}:///x")
    return tmp_path / ".env"


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", SHORTEST_KEY[1:], "SECRET_KEY: must have at least 32 bytes."),
        ("SECRET_KEY", "a" * 32, "SECRET_KEY: must be random."),
        ("SECRET_KEY", "changethis" * 4, "SECRET_KEY: must be random."),
        ("ACCESS_TOKEN_SECONDS", "3601", "ACCESS_TOKEN_SECONDS: must be less than or"),
        ("REFRESH_TOKEN_SECONDS", "0", "REFRESH_TOKEN_SECONDS: must be greater than"),
        ("FIRST_SUPERUSER_PASSWORD", "secret7", "FIRST_SUPERUSER_PASSWORD: String should have at"),
    ],
)
def test_weak_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        load_settings()
    assert str(caught.value).startswith(sentence)
    assert value not in str(caught.value)


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_key_is_required_in_staging_and_production(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    with pytest.raises(SystemExit, match=f"SECRET_KEY must be set in {environment}; python -m app"):
        load_settings()
    monkeypatch.setenv("SECRET_KEY", SHORTEST_KEY)
    assert load_settings().secret_key


@pytest.mark.usefixtures("env")
def test_key_is_required_for_several_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would make its own, and refuse the tokens of the others."""
    monkeypatch.setenv("WORKERS", "2")
    with pytest.raises(SystemExit, match="^SECRET_KEY must be set if WORKERS is greater than 1"):
        load_settings()
    monkeypatch.setenv("SECRET_KEY", SHORTEST_KEY)
    assert load_settings().workers == 2


def test_developer_gets_another_key_at_each_start(caplog: pytest.LogCaptureFixture) -> None:
    tokens = Tokens(AuthSettings(), "here")
    token = tokens.issue(1).access_token
    assert tokens.read(token, "access").sub == 1
    with pytest.raises(UnauthorizedError):
        Tokens(AuthSettings(), "here").read(token, "access")
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "SECRET_KEY is not set"
    ] * 2


def test_given_key_is_used_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    token = Tokens(SETTINGS, "here").issue(1).access_token
    assert Tokens(SETTINGS, "here").read(token, "access").sub == 1
    assert not caplog.records


@pytest.mark.usefixtures("env")
def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", SHORTEST_KEY)
    monkeypatch.setenv("FIRST_SUPERUSER_PASSWORD", PASSWORD)
    shown = repr(load_settings())
    assert SHORTEST_KEY not in shown
    assert PASSWORD not in shown


def test_secrets_are_written_once_and_only_readable_by_the_user(
    env: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.main()
    first = env.read_text()
    assert env.stat().st_mode & 0o777 == 0o600
    auth = load_settings()
    assert auth.secret_key
    assert auth.first_superuser_password
    said = capsys.readouterr().out
    assert said == "SECRET_KEY and FIRST_SUPERUSER_PASSWORD added to .env\n"
    setup.main()
    assert env.read_text() == first
    assert [path.name for path in env.parent.iterdir()] == [".env"]


def test_two_machines_get_different_secrets(env: Path) -> None:
    setup.main()
    first = set(env.read_text().splitlines())
    env.unlink()
    setup.main()
    assert not first & set(env.read_text().splitlines())


@pytest.mark.parametrize("end", ["", "\n"])
def test_other_lines_stay_and_values_win(env: Path, end: str) -> None:
    env.write_text(f"# mine\nPORT=9\nSECRET_KEY=\nfirst_superuser_password={PASSWORD}{end}")
    setup.main()
    lines = env.read_text().splitlines()
    assert lines[:2] == ["# mine", "PORT=9"]
    assert lines[2].startswith("SECRET_KEY=")
    assert lines[3:] == [f"first_superuser_password={PASSWORD}"]
    settings = load_settings()
    assert settings.secret_key
    assert settings.first_superuser_password
    assert settings.first_superuser_password.get_secret_value() == PASSWORD
    assert settings.port == 9


@pytest.mark.parametrize("exists", [True, False])
def test_file_behind_a_link_is_written(env: Path, *, exists: bool) -> None:
    target = env.with_name("elsewhere")
    if exists:
        target.write_text("PORT=9\n")
    env.symlink_to(target)
    setup.main()
    assert env.is_symlink()
    assert "SECRET_KEY=" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.read_text().startswith("PORT=9\n") == exists


def test_readable_file_is_closed_to_other_users(env: Path) -> None:
    env.write_text("PORT=9\n")
    env.chmod(0o644)
    setup.main()
    assert env.stat().st_mode & 0o777 == 0o600


def test_failure_leaves_the_file_as_it_was(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError

    env.write_text("PORT=9\n")
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError):
        setup.main()
    assert env.read_text() == "PORT=9\n"
    assert list(env.parent.iterdir()) == [env]


def test_invalid_secret_is_reported_and_kept(env: Path) -> None:
    env.write_text("SECRET_KEY=short\n")
    with pytest.raises(SystemExit, match="SECRET_KEY: must have at least 32 bytes"):
        setup.main()
    assert env.read_text() == "SECRET_KEY=short\n"


def test_git_ignores_the_file() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
