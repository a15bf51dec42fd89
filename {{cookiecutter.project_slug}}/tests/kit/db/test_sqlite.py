"""SQLite with several connections."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import OperationalError

from app.core.config import Settings, load_settings
from app.crud.crud_recipe import recipe  # example
from app.db.base import Recipe  # example
from app.db.session import open_database
from app.kit.db import wait
from app.kit.db.database import Database
from app.kit.db.sqlite import DriverConnection
from app.kit.errors import UnavailableError
from app.models.user import User

ADA = {"name": "Ada", "email": "ada@example.com"}


def test_old_sqlite_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    sentence = "DATABASE_URL: this service needs SQLite 3.35 or newer, but this Python has 3.34.1."
    with pytest.raises(SystemExit, match=f"^{re.escape(sentence)}$"):
        load_settings()


async def test_connections_are_set_up(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA busy_timeout")) == 1000


async def test_writer_does_not_block_readers(settings: Settings) -> None:
    writer = open_database(settings)
    reader = open_database(settings)
    async with writer.transaction() as connection:
        await connection.execute(insert(User), ADA)
        await reader.ping()
    await writer.close()
    await reader.close()


async def test_second_writer_waits_for_the_first(settings: Settings) -> None:
    writer = open_database(settings)
    other = open_database(settings.model_copy(update={"database_wait_seconds": 0.05}))
    async with writer.transaction():
        with pytest.raises(UnavailableError):
            async with other.transaction():
                pass
    async with other.transaction() as connection:
        await connection.execute(insert(User), ADA)
    await writer.close()
    await other.close()


# example: searches
async def test_search_ignores_case_of_all_letters(database: Database) -> None:
    labels = ["CRÈME brûlée", "ΜΟΥΣΑΚΆΣ", "Straße"]
    async with database.transaction() as connection:
        user = await connection.execute(insert(User).returning(User.id), ADA)
        submitter_id = user.scalar_one()
        rows = [
            {"label": label, "source": "x", "url": "x", "submitter_id": submitter_id}
            for label in labels
        ]
        await connection.execute(insert(Recipe), rows)
    async with database.read() as connection:
        for keyword, label in zip(("crème BRÛ", "μουσακάς", "STRASSE"), labels, strict=True):
            [row] = await recipe.search(connection, keyword=keyword, limit=10)
            assert row.label == label


# end of the example
async def test_builtin_functions_are_not_overridden(
    database: Database,
    settings: Settings,
) -> None:
    """An index on lower() is written by other programs, too, and must mean the same for all."""
    values = "(id, name, email, is_superuser) VALUES (1, 'ZOË', 'x', 0)"
    with closing(sqlite3.connect(str(settings.database_url.database))) as other:
        other.execute("CREATE INDEX by_name ON user (lower(name))")
        other.execute(f"INSERT INTO user {values}")
        other.commit()
    try:
        async with database.read() as connection:
            assert await connection.scalar(text("PRAGMA integrity_check")) == "ok"
            with pytest.raises(OperationalError, match="non-deterministic"):
                await connection.execute(text("CREATE INDEX x ON user (casefold(name))"))
    finally:
        async with database.transaction() as connection:
            await connection.execute(text("DROP INDEX by_name"))


def test_lock_ends_with_its_connection(tmp_path: Path) -> None:
    file = tmp_path / "locked.db"
    connection = sqlite3.connect(file, factory=DriverConnection)
    connection.execute("BEGIN IMMEDIATE")
    unread = connection.execute("VALUES (1), (2)")
    connection.close()
    other = sqlite3.connect(file, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    other.close()
    del unread
    connection.close()  # once more does no harm


async def test_invalid_database_file_is_an_outage(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("not a database" * 100)
    database = open_database(Settings(database_url=f"sqlite:///{file}"))
    with pytest.raises(UnavailableError):
        await database.ping()
    await database.close()


def test_new_file_is_ready_for_readers_beside_a_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes that prepare it together find it so, and need not change it at the same time."""
    file = tmp_path / "new.db"
    other = sqlite3.connect(file)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(wait, "sleep", lambda _: other.rollback())
    settings = Settings(database_url=f"sqlite:///{file}", database_wait_seconds=0.05)
    wait.wait_for_database(settings)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


# {%- endfilter +%}
