"""PostgreSQL databases for the tests, on a server that may hold others."""

# {% if cookiecutter.__driver == "asyncpg" %}
import asyncio
# {% endif %}
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

# {% if cookiecutter.__driver == "asyncpg" %}
import asyncpg
# {% else %}
import psycopg
# {% endif %}
import pytest
from sqlalchemy import URL, Connection

from app.kit.db.engine import with_sync_connection
from app.kit.db.url import name_driver
from scripts.local_database import temporary_server
from tests.support.execute import DELETES, Execute

CLEANER = "cleaner"  # its connection, which tests that cut the others leave open
# In one statement, so that foreign keys may form a circle: they are checked at its end.
DELETE_ALL_ROWS = f"WITH {', '.join(f'_{n} AS ({it})' for n, it in enumerate(DELETES))} SELECT"
# {% if cookiecutter.job_queue == "procrastinate" %}
DELETE_ALL_ROWS += "; DELETE FROM procrastinate_periodic_defers"
DELETE_ALL_ROWS += "; DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers"
# {% endif %}


@contextmanager
def new_database(_folder: Path) -> Generator[str]:
    """Yield the URL of an empty database on the server of ``TEST_DATABASE_URL``, or on a new one.

    The tests do not change the database that the variable names: they create another on the same
    server and drop it at the end.
    """
    with _server() as server:
        name = f"test_{uuid4().hex}"
        _execute_outside(server, f'CREATE DATABASE "{name}"')
        try:
            # Its rows are worthless, so commits need not wait for the disk.
            _execute_outside(server, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            _execute_outside(server, f'DROP DATABASE "{name}" WITH (FORCE)')


# {% if cookiecutter.__driver == "asyncpg" %}
@contextmanager
def connect(url: URL) -> Generator[Execute]:
    """Yield a function that executes statements on one connection: a new one takes 8 ms."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    settings = {"application_name": CLEANER}
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(address, server_settings=settings))
        yield lambda statements: runner.run(connection.execute(statements))
        runner.run(connection.close())


# {% else %}
@contextmanager
def connect(url: URL) -> Generator[Execute]:
    """Yield a function that executes statements on one connection: a new one takes 8 ms."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, application_name=CLEANER) as connection:
        connection.autocommit = True
        yield lambda statements: connection.execute(statements.encode())


# {% endif %}
@contextmanager
def _server() -> Generator[URL]:
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield name_driver(given)
        return
    with temporary_server() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_DATABASE_URL", server.get_uri())  # for further databases
        yield name_driver(server.get_uri())


def _execute_outside(server: URL, statement: str) -> None:
    """Execute a statement that PostgreSQL refuses inside a transaction."""

    def execute(connection: Connection) -> None:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)

    with_sync_connection(server, execute)
