"""Settings: from the environment, complete, and refused in one sentence."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import FunctionType

import pytest

from app.core.about import ABOUT, About
from app.core.config import Settings, load_settings
from app.kit.settings import BaseAppSettings
from tests.support import ROOT

# {% if cookiecutter.auth %}
REQUIRED_IN_STAGING = {"SECRET_KEY": "0123456789abcdef" * 4}
# {% else %}
REQUIRED_IN_STAGING: dict[str, str] = {}
# {% endif %}
# {% if cookiecutter.__driver == "psycopg" %}
ALL_NEED = ["email_validator", "psycopg", "pydantic_settings", "sqlalchemy"]
# {% else %}
ALL_NEED = ["email_validator", "pydantic_settings", "sqlalchemy"]
# {% endif %}
METHODS = (FunctionType, classmethod, property)
EXAMPLE = ROOT / ".env.example"
# {% if cookiecutter.database == "sqlite" %}
DATABASE = {"DATABASE_URL": "sqlite:///./some.db"}
# {% else %}
DATABASE = {"DATABASE_URL": "postgresql://user:secret@localhost/some"}
# {% endif %}


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", DATABASE["DATABASE_URL"])


def test_example_names_every_variable_once() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    names = [line.split("=")[0] for line in lines if line and not line.startswith("#")]
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)


def test_example_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Settings(_env_file=EXAMPLE)
    monkeypatch.setenv("DATABASE_URL", DATABASE["DATABASE_URL"])
    assert shown == Settings(_env_file=None)


def test_no_part_replaces_the_check_of_another() -> None:
    """Methods of the same name would replace each other without a word."""
    parts = [part for part in Settings.__mro__ if issubclass(part, BaseAppSettings)]
    methods = [vars(part).items() for part in parts]
    own = [
        name
        for part in methods
        for name, method in part
        if isinstance(method, METHODS) and name[:2] != "__" and not extends(method)
    ]
    assert own
    assert len(set(own)) == len(own)


def extends(method: object) -> bool:
    """Return whether the method calls the one of the same name that it replaces."""
    return isinstance(method, FunctionType) and "super" in method.__code__.co_names


@pytest.mark.slow
def test_settings_load_no_library_that_only_a_part_needs() -> None:
    code = """
import sys
for package in ALL_NEED:
    __import__(package)
packages = lambda: {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names
before = packages()
import app.core.config
print(*packages() - before)
"""
    code = f"ALL_NEED = {ALL_NEED}{code}"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert ended.stdout.split() == [b"app"]


def test_title_description_and_version_have_one_source() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "description" not in project
    assert project["version"] == "0"
    assert ABOUT == About(**tomllib.loads((ROOT / "app" / "about.toml").read_text("utf-8")))
    assert re.fullmatch(r"\d+\.\d+\.\d+", ABOUT.version)


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PORT=1\nHOST=0.0.0.0\n")
    monkeypatch.setenv("PORT", "2")
    settings = load_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 2)  # noqa: S104


def test_file_in_another_encoding_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("FIRST_SUPERUSER=zoë@example.com\n", encoding="latin-1")
    with pytest.raises(SystemExit, match=r"^\.env must be a text in UTF-8\.$"):
        load_settings()


def test_no_setting_has_the_name_of_anothers_file() -> None:
    variables = {name.upper() for name in Settings.model_fields}
    assert not {f"{name}_FILE" for name in variables} & variables


@pytest.mark.parametrize("value", ["warning", "WARNING"])
def test_log_level_is_read_in_any_case(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LOG_LEVEL", value)
    assert load_settings().log_level == "WARNING"


# {% if cookiecutter.job_queue != "none" %}
def test_kubernetes_service_called_smtp_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PORT", "tcp://10.0.171.239:25")
    assert load_settings().smtp_port is None


# {% endif %}
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "0", "PORT: must be greater than or equal to 1."),
        ("PORT", "http", "PORT: must be a valid integer"),
        ("WORKERS", "0", "WORKERS: must be greater than or equal to 1."),
        ("WORKERS", "auto", "WORKERS: must be a valid integer"),
        ("ENVIRONMENT", "prod", "ENVIRONMENT: must be 'local', 'staging' or 'production'."),
        ("DATABASE_URL", "mysql://user:secret@host/db", "DATABASE_URL: this service supports "),
        ("DATABASE_URL", "secret", "DATABASE_URL: must be a URL such as "),
        ("DATABASE_POOL_SIZE", "0", "DATABASE_POOL_SIZE: must be greater than 0."),
        ("BACKEND_CORS_ORIGINS", "*", "BACKEND_CORS_ORIGINS: must be origins such as "),
        ("BACKEND_CORS_ORIGINS", "https://a.example/x", "BACKEND_CORS_ORIGINS: must be origins"),
        ("BACKEND_CORS_ORIGINS", "https://A.example", "BACKEND_CORS_ORIGINS: must be origins"),
        ("BACKEND_CORS_ORIGINS", "https://ä.example", "BACKEND_CORS_ORIGINS: must be origins"),
        ("BACKEND_CORS_ORIGINS", "https://a.example:443", "BACKEND_CORS_ORIGINS: must be origins"),
        ("BACKEND_CORS_ORIGINS", "http://a.example:80", "BACKEND_CORS_ORIGINS: must be origins"),
        ("BACKEND_CORS_HEADERS", "*", "BACKEND_CORS_HEADERS: must be names of headers"),
        ("BACKEND_CORS_HEADERS", "X-A: b", "BACKEND_CORS_HEADERS: must be names of headers"),
        ("FIRST_SUPERUSER", "admin", "FIRST_SUPERUSER: "),
        ("APP_MODULE", "app.main", "APP_MODULE: "),
        ("ROOT_PATH", "api", "ROOT_PATH: must begin with a slash"),
        ("ROOT_PATH", "/api/", "ROOT_PATH: must begin with a slash and not end with one"),
        ("ROOT_PATH", "/é", "ROOT_PATH: must begin with a slash"),
        ("ROOT_PATH", "/a b", "ROOT_PATH: must begin with a slash"),
        ("FORWARDED_ALLOW_IPS", "0.0.0.0/0", "FORWARDED_ALLOW_IPS: must not contain all"),
        ("FORWARDED_ALLOW_IPS", "*", "FORWARDED_ALLOW_IPS: must be addresses or networks"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.1/8", "FORWARDED_ALLOW_IPS: must be addresses or"),
        ("DATABASE_WAIT_SECONDS", "inf", "DATABASE_WAIT_SECONDS: must be less than or equal to"),
        ("APP_MODULE", "'app.main:create_app'", "APP_MODULE: remove the quotes"),
        ("DATABASE_URL", "$(SECRET)", "DATABASE_URL: replace the placeholder"),
        ("GRACE_SECONDS", "30", "DRAIN_SECONDS and GRACE_SECONDS together must not exceed 25"),
        # {% if cookiecutter.database == "sqlite" %}
        ("DATABASE_URL", "sqlite://", "DATABASE_URL: must name a file, for example sqlite:///"),
        # {% else %}
        ("DATABASE_URL", "postgres://h/x?sslmode=secret", "DATABASE_URL: sslmode must be one of "),
        ("DATABASE_URL", "postgres://h/x?colour=secret", "DATABASE_URL: {{ cookiecutter.__driver }} does not "),
        # {% endif %}
        # {% if cookiecutter.rate_limit %}
        ("RATE_LIMIT_REQUESTS", "0", "RATE_LIMIT_REQUESTS: must be greater than 0."),
        ("RATE_LIMIT_STORAGE_URI", "memcached://secret", "RATE_LIMIT_STORAGE_URI: must be "),
        ("RATE_LIMIT_STORAGE_URI", "redis://h:secret/0", "RATE_LIMIT_STORAGE_URI: must be "),
        ("RATE_LIMIT_STORAGE_URI", "redis://h/?x=secret", "RATE_LIMIT_STORAGE_URI: must be "),
        # {% endif %}
        # {% if cookiecutter.job_queue != "none" %}
        ("JOB_LOST_SECONDS", "3", "JOB_LOST_SECONDS must be at least twice JOB_HEARTBEAT_SECONDS."),
        ("SMTP_HOST", "secret", "SMTP_HOST requires MAIL_FROM and MAIL_TO."),
        ("SMTP_HOST", "smtp://secret:25", "SMTP_HOST: must be a host such as db.example.com"),
        ("SMTP_USER", "secret", "SMTP_USER and SMTP_PASSWORD must be set together."),
        ("MAIL_TO", "secret", "MAIL_TO: "),
        ("PHOTO_FOLDER", "~/photos", "PHOTO_FOLDER: must be a path without ~"),  # example
        ("PHOTO_MAX_PIXELS", "1e9", "PHOTO_MAX_PIXELS: must be a valid integer"),  # example
        # {% endif %}
        # {% if cookiecutter.telemetry %}
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:4318", "OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://secret@h", "OTEL_EXPORTER_OTLP_ENDPOINT: must be"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a secret=", "OTEL_EXPORTER_OTLP_HEADERS: must be "),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "OTEL_TRACES_SAMPLER_ARG: must be less than or"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "0", "OTEL_EXPORTER_PROMETHEUS_PORT: must be"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "a b", "OTEL_EXPORTER_PROMETHEUS_HOST: must be a host"),
        ("OTEL_LOGS_EXPORTER", "console", "OTEL_LOGS_EXPORTER: must be 'otlp' or 'none'"),
        # {% endif %}
        # {% if cookiecutter.fan_out %}
        ("IDEAS_BASE_URL", "reddit", "IDEAS_BASE_URL: must be a URL that begins"),  # example
        ("NEWS_BASE_URL", "http://h:99999", "NEWS_BASE_URL: Port out of range"),  # example
        ("NEWS_BASE_URL", "http://h\n/a", "NEWS_BASE_URL: must be a URL without"),  # example
        ("NEWS_BASE_URL", "http://h/?a=1", "NEWS_BASE_URL: must be a URL without"),  # example
        ("NEWS_BASE_URL", "http://a%3Ab@h", "NEWS_BASE_URL: must not have a colon"),  # example
        ("IDEAS_SOURCES", "", "IDEAS_SOURCES: "),  # example
        ("IDEAS_SOURCES", ",", "IDEAS_SOURCES: "),  # example
        ("IDEAS_SOURCES", "..", "IDEAS_SOURCES: "),  # example
        ("IDEAS_SOURCES", "a,a", "IDEAS_SOURCES: must not repeat a source"),  # example
        ("UPSTREAM_CONNECTIONS", "0", "UPSTREAM_CONNECTIONS: must be greater than"),  # example
        # {% endif %}
    ],
)
def test_invalid_setting_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        load_settings()
    said = str(caught.value)
    assert said.startswith(sentence)
    assert "\n" not in said
    assert "secret" not in said


@pytest.mark.slow
def test_process_ends_with_the_sentence() -> None:
    environment = os.environ | DATABASE | {"PORT": "x", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", "app.serve"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == ""
    line = json.loads(ended.stdout)
    assert line["message"] == "PORT: must be a valid integer, unable to parse string as an integer."


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_CORS_ORIGINS", "https://a.example/, http://[::1]:443")
    monkeypatch.setenv("BACKEND_CORS_HEADERS", "X-Api-Version, x_tenant,")
    settings = load_settings()
    assert settings.backend_cors_origins == ("https://a.example", "http://[::1]:443")
    assert settings.backend_cors_headers == ("X-Api-Version", "x_tenant")


@pytest.mark.parametrize(
    ("environment", "file", "expected"),
    [
        (None, "FORWARDED_ALLOW_IPS=", ()),
        ("", "", ()),
        ("", "FORWARDED_ALLOW_IPS=192.0.2.1", ()),
        ("192.0.2.2", "FORWARDED_ALLOW_IPS=", ("192.0.2.2",)),
        (None, "", ("127.0.0.1", "::1")),
    ],
)
def test_empty_list_of_proxies_trusts_no_proxy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: str | None,
    file: str,
    expected: tuple[str, ...],
) -> None:
    if environment is not None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", environment)
    (tmp_path / ".env").write_text(file, encoding="utf-8")
    assert Settings(_env_file=tmp_path / ".env").forwarded_allow_ips == expected


# {% if cookiecutter.database == "sqlite" %}
@pytest.mark.parametrize(
    "given",
    [
        "sqlite:///./x.db",
        "sqlite+{{ cookiecutter.__driver }}:///./x.db",
    ],
)
# {% else %}
@pytest.mark.parametrize(
    "given",
    [
        "postgres://user:secret@host:5433/x",
        "postgresql://user:secret@host:5433/x",
        "postgresql+{{ cookiecutter.__driver }}://user:secret@host:5433/x",
    ],
)
# {% endif %}
def test_url_of_a_hosting_provider_gets_the_driver(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", given)
    url = load_settings().database_url
    assert url.drivername == "{{ cookiecutter.database }}+{{ cookiecutter.__driver }}"
    assert url.database is not None
    assert url.database.endswith("x" if url.host else "x.db")


# {% if cookiecutter.__driver == "asyncpg" %}
UNDERSTOOD = {"ssl": "require"}


# {% elif cookiecutter.__driver == "psycopg" %}
UNDERSTOOD = {"sslmode": "require", "channel_binding": "prefer", "connect_timeout": "9"}


# {% endif %}
# {% if cookiecutter.database == "postgresql" %}
def test_parameters_of_a_hosting_provider_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "postgres://u:p@host/x?sslmode=require&channel_binding=prefer&connect_timeout=9"
    monkeypatch.setenv("DATABASE_URL", given)
    assert load_settings().database_url.query == UNDERSTOOD


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("pgbouncer=maybe", "pgbouncer must be true or false"),
        ("pgbouncer=false&connection_limit=1", "set DATABASE_POOL_SIZE"),
        ("pool_timeout=5", "set DATABASE_WAIT_SECONDS"),
        # {% if cookiecutter.__driver == "asyncpg" %}
        ("pgbouncer=true", "set the pooler to session mode"),
        # {% else %}
        ("pgbouncer=true&options=-cwork_mem=8MB", "use ALTER ROLE"),
        # {% endif %}
    ],
)
def test_parameters_without_effect_are_refused(
    monkeypatch: pytest.MonkeyPatch, parameters: str, reason: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgres://u:p@host/x?{parameters}")
    with pytest.raises(SystemExit, match=reason):
        load_settings()


def test_database_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(SystemExit, match="DATABASE_URL must be set, in the environment"):
        load_settings()


# {% endif %}
def test_prefix_of_a_proxy_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOT_PATH", "/some/api")
    assert load_settings().root_path == "/some/api"


def test_password_is_not_shown() -> None:
    assert "secret" not in repr(load_settings().database_url)


@pytest.mark.parametrize(("environment", "seconds"), [("local", 0), ("staging", 5)])
def test_drain_time_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: str, seconds: float
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    for name, value in REQUIRED_IN_STAGING.items():
        monkeypatch.setenv(name, value)
    assert load_settings().effective_drain_seconds == seconds
    monkeypatch.setenv("DRAIN_SECONDS", "2.5")
    assert load_settings().effective_drain_seconds == 2.5
