"""Migrations on PostgreSQL: several processes at once, and tables that others have locked."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from app.core.config import Settings
from app.kit.db.engine import with_sync_connection
from app.kit.db.migrations import postgresql
from tests.support import databases, revisions
from tests.support.postgresql import CLEANER

ADD_COLUMN = """\
    op.add_column("user", sa.Column("nickname", sa.String(50)))
"""
# As docs/schema.md has it.
ADD_INDEX = """\
    with op.get_context().autocommit_block():
        op.drop_index("ix_user_name", if_exists=True, postgresql_concurrently=True)
        op.create_index("ix_user_name", "user", ["name"], postgresql_concurrently=True)
"""
ADD_VALUE = """\
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE colour ADD VALUE 'blue'")
    op.execute("UPDATE paint SET colour = 'blue'")
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Name a database without tables."""
    with databases.new_database(tmp_path) as url:
        yield Settings(database_url=url, migration_lock_seconds=0.2)


@pytest.fixture
def config(tmp_path: Path, settings: Settings) -> Config:
    """Let Alembic find revisions of the test beside those of the service."""
    return revisions.next_release(tmp_path, settings)


@pytest.fixture
def revise(config: Config, tmp_path: Path) -> Callable[[str], None]:
    """Return what migrates, then adds a revision."""

    def revise(upgrade: str) -> None:
        command.upgrade(config, "heads")
        revisions.add_revision(tmp_path, upgrade)

    return revise


def columns(settings: Settings) -> set[str]:
    """Return the columns of users."""
    names: set[str] = set()

    def read(connection: Connection) -> None:
        names.update(column["name"] for column in inspect(connection).get_columns("user"))

    with_sync_connection(settings.database_url, read)
    return names


def test_migration_behind_an_open_transaction_gives_up_and_names_it(
    config: Config,
    settings: Settings,
    revise: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Waiting for the lock, it would hold up all requests for that table."""
    monkeypatch.setattr(postgresql, "PAUSE_SECONDS", 0)
    revise(ADD_COLUMN)
    with databases.connect(settings.database_url) as execute:
        execute('BEGIN; SELECT * FROM "user"')
        with pytest.raises(CommandError, match="MIGRATION_LOCK_SECONDS"):
            command.upgrade(config, "heads")
        execute("ROLLBACK")
    assert len(caplog.messages) == postgresql.ATTEMPTS
    assert f'application "{CLEANER}", idle in transaction' in caplog.messages[0]
    assert 'ALTER TABLE "user" ADD COLUMN nickname' in caplog.messages[0]
    assert "nickname" not in columns(settings)


def test_migration_goes_on_when_the_lock_is_free(
    config: Config,
    settings: Settings,
    revise: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    revise(ADD_COLUMN)
    with databases.connect(settings.database_url) as execute, ThreadPoolExecutor() as thread:
        execute('BEGIN; SELECT * FROM "user"')
        end = partial(thread.submit, execute)
        monkeypatch.setattr(postgresql, "sleep", lambda _: end("ROLLBACK").result())
        command.upgrade(config, "heads")
    assert "nickname" in columns(settings)


def test_errors_other_than_locks_are_not_tried_again(
    config: Config, revise: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    revise('    op.drop_column("user", "nowhere")\n')
    monkeypatch.delattr(postgresql, "sleep")
    with pytest.raises(Exception, match="nowhere"):
        command.upgrade(config, "heads")


def test_value_added_to_an_enum_can_be_used_in_the_same_revision(
    config: Config, settings: Settings, revise: Callable[[str], None]
) -> None:
    """Before PostgreSQL 17 only after the transaction that adds it."""
    revise(ADD_VALUE)
    with databases.connect(settings.database_url) as execute:
        execute("CREATE TYPE colour AS ENUM ('red')")
        execute("CREATE TABLE paint AS SELECT 'red'::colour AS colour")
        command.upgrade(config, "heads")
        execute("DO $$ BEGIN ASSERT (SELECT colour FROM paint) = 'blue'; END $$")


@pytest.mark.slow
@pytest.mark.parametrize("upgrade", [ADD_COLUMN, ADD_INDEX], ids=["column", "index"])
def test_processes_that_migrate_at_once_all_succeed(
    settings: Settings, revise: Callable[[str], None], tmp_path: Path, upgrade: str
) -> None:
    revise(upgrade)
    url = settings.database_url.render_as_string(hide_password=False)
    migrate = [sys.executable, "-m", "alembic", "-c", "pyproject.toml", "upgrade", "heads"]
    started = [
        subprocess.Popen(migrate, cwd=tmp_path, env=os.environ | {"DATABASE_URL": url})
        for _ in range(3)
    ]
    assert [process.wait(60) for process in started] == [0, 0, 0]
