"""Secrets: none works by default where people work."""

import pytest

from app.core.auth import AuthSettings
from app.core.config import load_settings
from app.core.errors import UnauthorizedError
from app.core.tokens import Tokens
from tests.auth.accounts import SETTINGS

KEY = "0123456789abcdef" * 2
# {% if cookiecutter.database == "sqlite" %}
URL = "sqlite:///./some.db"
# {% else %}
URL = "postgresql://localhost/some"
# {% endif %}


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)


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
