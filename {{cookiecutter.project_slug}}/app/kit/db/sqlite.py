"""SQLite for a server: foreign keys, readers beside a writer, the write lock taken at once."""

import sqlite3
from contextlib import suppress
from math import inf
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Function, String, func, text
from sqlalchemy.orm import InstrumentedAttribute

from app.kit.db.settings import DatabaseSettings

# The file keeps this mode. Two processes that set it at once fail without waiting, so ``wait.py``
# sets it, which retries.
FIRST_STATEMENT = "PRAGMA journal_mode=WAL"
ONE_WRITER: bool = True
IDLE_SECONDS = inf  # no network cuts connections to a file
READINESS = text("SELECT 0 AS is_read_only FROM sqlite_master WHERE name = 'alembic_version'")
# The file was replaced, or is out of reach: https://sqlite.org/rescode.html
SESSION_LOST = tuple(
    f"SQLITE_{name}" for name in ("CANTOPEN", "CORRUPT", "IOERR", "NOTADB", "PROTOCOL", "READONLY")
)
# As above, or another process writes. A corrupt file is not an outage: it does not recover.
UNAVAILABLE = tuple(
    f"SQLITE_{name}"
    for name in ("BUSY", "CANTOPEN", "FULL", "IOERR", "LOCKED", "NOTADB", "PROTOCOL", "READONLY")
)
FOREIGN_KEY_VIOLATION = "SQLITE_CONSTRAINT_FOREIGNKEY"
# The other constraints concern only one row: a bug of the service.
CONFLICTS = {
    FOREIGN_KEY_VIOLATION,
    "SQLITE_CONSTRAINT_PRIMARYKEY",
    "SQLITE_CONSTRAINT_ROWID",
    "SQLITE_CONSTRAINT_UNIQUE",
}


class DriverConnection(sqlite3.Connection):
    """A connection that releases its lock when it is closed."""

    def close(self) -> None:
        """Roll back first: a statement whose result was not read to its end keeps the lock."""
        with suppress(sqlite3.ProgrammingError):  # already closed
            self.rollback()
        super().close()


class Driver(Protocol):
    """The connection of either driver."""

    @property
    def in_transaction(self) -> bool: ...


def connect_args(settings: DatabaseSettings) -> dict[str, object]:
    """Return the driver's arguments; writers wait for a lock as long as for a connection."""
    return {
        "timeout": settings.database_wait_seconds,
        "factory": DriverConnection,
        "isolation_level": None,  # no transaction begins unless BEGIN is sent
    }


def engine_options(settings: DatabaseSettings) -> dict[str, Any]:
    """Return the options of the pool's engine."""
    return {"connect_args": connect_args(settings)}


def begin_statement(_settings: DatabaseSettings) -> str:
    """Return ``BEGIN IMMEDIATE``: a reader that writes later would get no busy timeout."""
    return "BEGIN IMMEDIATE"


def only_transactions(_settings: DatabaseSettings) -> bool:
    """Return whether reads also need a transaction."""
    return False


def on_connect(connection: DriverConnection, _record: object) -> None:
    """Set up a new connection."""
    # Not deterministic, which forbids indexes: they would break with a newer Unicode in Python.
    connection.create_function("casefold", 1, _casefold)
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    # Readers go on while another connection writes; a power cut may lose the last commits but
    # corrupts nothing.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def fold_case(value: ColumnElement[str] | InstrumentedAttribute[str]) -> Function[str]:
    """Return an expression for comparisons that ignore case.

    SQLite's own lower() knows only ASCII. It must not be overridden: indexes on it would be wrong.
    """
    return func.casefold(value, type_=String)


def is_open(_driver: Driver) -> bool:
    """Return whether the connection can be used again."""
    return True


def is_idle(driver: Driver) -> bool:
    """Return whether no transaction is open."""
    return not driver.in_transaction


def is_session_lost(error: Exception) -> bool:
    """Return whether this connection is unusable, but a new one may work."""
    return _name(error).startswith(SESSION_LOST)


def is_unavailable(error: Exception) -> bool:
    """Return whether the same statement may succeed later."""
    return _name(error).startswith(UNAVAILABLE)


def is_conflict(error: Exception) -> bool:
    """Return whether a row conflicts with others."""
    return _name(error) in CONFLICTS


def is_missing_reference(error: Exception) -> bool:
    """Return whether a foreign key refers to a missing row."""
    return _name(error) == FOREIGN_KEY_VIOLATION


def conflicting_columns(error: Exception) -> list[str]:
    """Return the columns that the driver names, as in "UNIQUE constraint failed: user.email"."""
    _, _, columns = str(error).partition("constraint failed: ")
    return [name.rpartition(".")[2] for name in columns.split(", ") if "." in name]


def _name(error: Exception) -> str:
    return getattr(error, "sqlite_errorname", "")


def _casefold(value: str | None) -> str | None:
    return None if value is None else value.casefold()
