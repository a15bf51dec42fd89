"""SQLite as a server's database: foreign keys, readers beside a writer, no failed upgrades."""

# {% filter replace("Async", cookiecutter.__Async)|replace("engine.sync_engine", "engine.sync_engine" if cookiecutter.async_db else "engine") %}
import sqlite3
from contextlib import suppress

from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from app.core.config import Settings
from app.kit.db.engine import AsyncEngine

HAS_SCHEMA = text("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
# Another process writes, or the file is out of reach: https://sqlite.org/rescode.html
UNAVAILABLE = tuple(
    f"SQLITE_{name}"
    for name in ("BUSY", "CANTOPEN", "FULL", "IOERR", "LOCKED", "NOTADB", "PROTOCOL", "READONLY")
)
FOREIGN_KEY_VIOLATION = "SQLITE_CONSTRAINT_FOREIGNKEY"
# The other constraints are about one row, and a fault of ours.
CONTRADICTIONS = {
    FOREIGN_KEY_VIOLATION,
    "SQLITE_CONSTRAINT_PRIMARYKEY",
    "SQLITE_CONSTRAINT_ROWID",
    "SQLITE_CONSTRAINT_UNIQUE",
}
# Without BEGIN. An option of ours, because changing the isolation level takes turns of a thread, in
# which one may be cancelled.
AUTOCOMMIT = {"is_autocommitting": True}


class DriverConnection(sqlite3.Connection):
    """A connection whose lock ends with it."""

    def close(self) -> None:
        """Roll back: a statement of which nobody reads the end would keep the lock of a writer."""
        with suppress(sqlite3.ProgrammingError):  # closed before
            self.rollback()
        super().close()


def connect_args(settings: Settings) -> dict[str, object]:
    """Let a writer wait for other processes as long as a request waits for a connection."""
    return {
        "timeout": settings.database_wait_seconds,
        "factory": DriverConnection,
        "isolation_level": None,  # transactions begin as `_begin` says, and not otherwise
    }


def prepare(engine: AsyncEngine) -> None:
    """Set up each connection and begin write transactions as writers."""
    event.listen(engine.sync_engine, "connect", _connect)
    event.listen(engine.sync_engine, "begin", _begin)


# {% endfilter %}
def is_usable(connection: PoolProxiedConnection, _idle_seconds: float) -> bool:
    """Tell whether it can be used again; nobody cuts connections to a file."""
    return connection.is_valid


def is_unavailable(error: DBAPIError) -> bool:
    """Tell whether the same statement may succeed later."""
    return getattr(error.orig, "sqlite_errorname", "").startswith(UNAVAILABLE)


def is_contradiction(error: DBAPIError) -> bool:
    """Tell whether a row contradicts others."""
    return getattr(error.orig, "sqlite_errorname", "") in CONTRADICTIONS


def is_missing_reference(error: DBAPIError) -> bool:
    """Tell whether a foreign key found nothing."""
    return getattr(error.orig, "sqlite_errorname", "") == FOREIGN_KEY_VIOLATION


def _connect(connection: DriverConnection, _record: object) -> None:
    # SQLite's own lower() knows only ASCII; searches would miss "Crème" in capitals.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    # Readers go on while somebody writes; a power cut may lose the last commits but corrupts nothing.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _lower(value: str | None) -> str | None:
    return None if value is None else value.casefold()


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a reader that turns writer later gets no busy timeout."""
    if connection.get_execution_options().keys().isdisjoint(AUTOCOMMIT):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
