"""Secrets: none works by default where people work, and a developer's machine gets its own."""

from pathlib import Path

import pytest

from app import setup
from app.core.config import load_settings
from app.core.errors import UnauthorizedError
from app.core.security import AuthSettings, Tokens
from tests.auth.accounts import SETTINGS
from tests.conftest import ROOT

KEY = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name the file that settings are read from, and that is to be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "{{ cookiecutter.database }}:///x")
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", KEY[1:], "SECRET_KEY: must have at least 32 bytes."),
        ("SECRET_KEY", "a" * 32, "SECRET_KEY: must be random."),
        ("SECRET_KEY", "changethis" * 4, "SECRET_KEY: must be random."),
        ("ACCESS_TOKEN_SECONDS", "3601", "ACCESS_TOKEN_SECONDS: must be less than or"),
        ("REFRESH_TOKEN_SECONDS", "0", "REFRESH_TOKEN_SECONDS: must be greater than"),
        ("FIRST_SUPERUSER_PASSWORD", "secret7", "FIRST_SUPERUSER_PASSWORD: String should have at"),
    ],
)
def test_secret_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        load_settings()
    assert str(caught.value).startswith(sentence)
    assert value not in str(caught.value)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_key_is_required_where_people_work(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    with pytest.raises(SystemExit, match=f"SECRET_KEY must be set in {environment}; python -m app"):
        load_settings()
    monkeypatch.setenv("SECRET_KEY", KEY)
    assert load_settings().auth.secret_key


def test_developer_gets_another_key_at_each_start(caplog: pytest.LogCaptureFixture) -> None:
    tokens = Tokens(AuthSettings())
    token = tokens.issue(1).access_token
    assert tokens.read(token, "access").sub == 1
    with pytest.raises(UnauthorizedError):
        Tokens(AuthSettings()).read(token, "access")
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "SECRET_KEY is not set"
    ] * 2


def test_given_key_is_used_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    token = Tokens(SETTINGS).issue(1).access_token
    assert Tokens(SETTINGS).read(token, "access").sub == 1
    assert not caplog.records


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("FIRST_SUPERUSER_PASSWORD", "correct horse")
    shown = repr(load_settings())
    assert KEY not in shown
    assert "correct horse" not in shown


def test_secrets_are_written_once_for_nobody_else_to_read(
    env: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.main()
    first = env.read_text()
    assert env.stat().st_mode & 0o777 == 0o600
    auth = load_settings().auth
    assert auth.secret_key
    assert auth.first_superuser_password
    said = capsys.readouterr().out
    assert said == "SECRET_KEY and FIRST_SUPERUSER_PASSWORD added to .env\n"
    setup.main()
    assert env.read_text() == first
    assert [path.name for path in env.parent.iterdir()] == [".env"]


def test_two_machines_get_other_secrets(env: Path) -> None:
    setup.main()
    first = set(env.read_text().splitlines())
    env.unlink()
    setup.main()
    assert not first & set(env.read_text().splitlines())


@pytest.mark.parametrize("end", ["", "\n"])
def test_other_lines_stay_and_values_win(env: Path, end: str) -> None:
    env.write_text(f"# mine\nPORT=9\nSECRET_KEY=\nfirst_superuser_password=correct horse{end}")
    setup.main()
    lines = env.read_text().splitlines()
    assert lines[:-1] == [
        "# mine",
        "PORT=9",
        "first_superuser_password=correct horse",
    ]
    settings = load_settings()
    assert settings.auth.secret_key
    assert settings.auth.first_superuser_password
    assert settings.auth.first_superuser_password.get_secret_value() == "correct horse"
    assert settings.port == 9


def test_failure_leaves_the_file_as_it_was(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError

    env.write_text("PORT=9\n")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError):
        setup.main()
    assert env.read_text() == "PORT=9\n"
    assert list(env.parent.iterdir()) == [env]


def test_secret_that_cannot_work_is_told_and_kept(env: Path) -> None:
    env.write_text("SECRET_KEY=short\n")
    with pytest.raises(SystemExit, match="SECRET_KEY: must have at least 32 bytes"):
        setup.main()
    assert env.read_text() == "SECRET_KEY=short\n"


def test_git_ignores_the_file() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
