# {% if cookiecutter.database == "sqlite" %}
"""The databases of the tests: files of their own."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL, delete

from app.db.base import Base
# {% else %}
"""The databases of the tests: of their own, on a server that may hold others."""

# {% if cookiecutter.__driver == "asyncpg" %}
import asyncio
# {% endif %}
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

# {% if cookiecutter.__driver == "asyncpg" %}
import asyncpg
# {% else %}
import psycopg
# {% endif %}
from sqlalchemy import URL, Connection, delete

from app.db.base import Base
from app.kit.db.engine import with_sync_connection
from app.kit.db.url import name_driver
from scripts.local_database import temporary_server
# {% endif %}

Execute: TypeAlias = Callable[[str], object]
_DELETES = [str(delete(table)) for table in Base.metadata.tables.values()]
# {% if cookiecutter.database == "sqlite" %}
SWEEP = "; ".join(_DELETES)  # in any order: this connection does not check foreign keys
# {% else %}
# In one statement, so that foreign keys may form a circle: they are checked at its end.
SWEEP = f"WITH {', '.join(f'_{n} AS ({it})' for n, it in enumerate(_DELETES))} SELECT"
# {% endif %}
# {% if cookiecutter.job_queue == "procrastinate" %}
SWEEP += "; DELETE FROM procrastinate_periodic_defers"
SWEEP += "; DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers"
# {% endif %}
# {% if cookiecutter.database == "postgresql" %}
SWEEPER = "sweeper"  # the name by which tests that cut connections spare it
# {% endif %}


# {% if cookiecutter.database == "sqlite" %}
@contextmanager
def new_database(folder: Path) -> Generator[str]:
    """Lend the URL of a database that does not exist yet."""
    yield f"sqlite:///{folder}/test.db"


@contextmanager
def connect(url: URL) -> Generator[Execute]:
    """Lend what executes statements."""
    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        yield connection.executescript
# {% else %}
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
            # Its rows are worth nothing, so nobody need wait for the disk.
            _execute_outside(server, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            _execute_outside(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def connect(url: URL) -> Generator[Execute]:
    """Lend what executes statements, over one connection: a new one takes 8 ms."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    # {% if cookiecutter.__driver == "asyncpg" %}
    with asyncio.Runner() as runner:
        settings = {"application_name": SWEEPER}
        connection = runner.run(asyncpg.connect(address, server_settings=settings))
        yield lambda statements: runner.run(connection.execute(statements))
        runner.run(connection.close())
    # {% else %}
    with psycopg.connect(address, application_name=SWEEPER) as connection:
        connection.autocommit = True
        yield lambda statements: connection.execute(statements.encode())
    # {% endif %}


@contextmanager
def _server() -> Generator[URL]:
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield name_driver(given)
        return
    with temporary_server() as server:
        yield name_driver(server.get_uri())


def _execute_outside(server: URL, statement: str) -> None:
    """Run what PostgreSQL refuses inside a transaction."""

    def execute(connection: Connection) -> None:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)

    with_sync_connection(server, execute)
# {% endif %}
