"""Pods wait until the database has the schema of their release."""

from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core.config import Settings
from app.kit.db.migrations import wait
from tests.support import ROOT, databases, revisions

SCRIPT = ScriptDirectory.from_config(databases.ALEMBIC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Name a database without tables."""
    monkeypatch.setattr(wait, "POLL_SECONDS", 0.05)
    with databases.new_database(tmp_path) as url:
        yield Settings(database_url=url)


@pytest.fixture
def alembic(settings: Settings) -> Config:
    """Return the configuration of this release, for that database."""
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.attributes["settings"] = settings
    return config


@pytest.fixture
def next_release(settings: Settings, tmp_path: Path) -> Config:
    """Return the configuration of a release with a revision that changes nothing."""
    config = revisions.next_release(tmp_path, settings)
    revisions.add_revision(tmp_path, "    pass\n")
    return config


def test_pod_waits_until_another_process_has_migrated(settings: Settings, alembic: Config) -> None:
    migration = Timer(0.2, command.upgrade, [alembic, "heads"])
    migration.start()
    wait.wait_for_migration(settings, SCRIPT)
    migration.join()
    assert wait.applied_revisions(settings) == set(SCRIPT.get_heads())


def test_pod_gives_up_and_says_what_is_missing(settings: Settings) -> None:
    with pytest.raises(SystemExit, match=r"not migrated in 0\.1 s: .* applied is nothing"):
        wait.wait_for_migration(settings, SCRIPT, timeout_seconds=0.1)


def test_pod_of_the_next_release_waits_for_its_revision(
    settings: Settings, alembic: Config, next_release: Config
) -> None:
    command.upgrade(alembic, "heads")
    script = ScriptDirectory.from_config(next_release)
    assert not wait.is_migrated(script, wait.applied_revisions(settings))
    command.upgrade(next_release, "heads")
    assert wait.is_migrated(script, wait.applied_revisions(settings))


def test_pod_starts_after_a_rollback(settings: Settings, next_release: Config) -> None:
    """The database has a revision that this release does not know."""
    command.upgrade(next_release, "heads")
    wait.wait_for_migration(settings, SCRIPT, timeout_seconds=0)


def test_pod_waits_while_the_database_is_away() -> None:
    away = Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    assert wait.applied_revisions(away) == set()
