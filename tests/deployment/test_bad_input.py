"""A container that cannot work says why in one sentence, and ends with an error."""

import json
from collections.abc import Generator

import pytest

from tests.deployment.engine import Engine
from tests.deployment.images import Backend, Image, backend, container

WITH_ALL = "full"
KEY = "S" + "abcdefghijklmnopqrstuvwxyz0123456789"
AWAY = "postgresql://app@127.0.0.1:1/app"


@pytest.fixture(scope="module")
def full(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Return the image of a service with all features."""
    return Image.build(engine, WITH_ALL, tmp_path_factory.mktemp("full") / "service")


@pytest.fixture(scope="module")
def found(full: Image) -> Generator[Backend]:
    with backend(full) as found:
        yield found


def critical(lines: list[str]) -> list[str]:
    """Return the sentences about what went wrong; every line is JSON."""
    records = [json.loads(line) for line in lines]
    assert not [record for record in records if "exception" in record]
    return [record["message"] for record in records if record["level"] == "CRITICAL"]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "DATABASE_URL must be set, in the environment or in .env."),
        (
            {"DATABASE_URL": AWAY, "ENVIRONMENT": "production"},
            "SECRET_KEY must be set in production; python -m app.setup writes one to .env.",
        ),
        (
            {"DATABASE_URL": AWAY, "SECRET_KEY_FILE": "/run/secrets/secret_key"},
            "SECRET_KEY_FILE: the file cannot be read: No such file or directory.",
        ),
    ],
    ids=["no database", "no secret", "no file"],
)
@pytest.mark.parametrize("command", ["app.serve", "app.worker", "app.backend_pre_start"])
def test_missing_setting(
    full: Image, command: str, variables: dict[str, str], sentence: str
) -> None:
    code, lines = full.run_once("python", "-m", command, **variables)
    assert code == 1
    assert critical(lines) == [sentence]
    assert len(lines) == 1


@pytest.mark.parametrize("command", ["./prestart.sh", "python -m app.worker"])
def test_database_is_away(full: Image, command: str) -> None:
    variables = {"DATABASE_URL": AWAY, "DATABASE_START_SECONDS": "1", "SECRET_KEY": KEY}
    code, lines = full.run_once(*command.split(), **variables)
    assert code == 1
    (sentence,) = critical(lines)
    assert "atabase" in sentence


def test_port_is_in_use(full: Image, found: Backend) -> None:
    with container(full, found) as service:
        service.wait_until_ready()
        name = f"container:{service.name}"
        done = full.engine.attempt(
            *("docker", "run", "--rm", "--network", name, "--env", f"DATABASE_URL={AWAY}"),
            full.name,
        )
    assert done.returncode == 1
    (sentence,) = critical(done.stdout.splitlines())
    assert sentence.startswith("PORT: 8001 is in use on 0.0.0.0;")
