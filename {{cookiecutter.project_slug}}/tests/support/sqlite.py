"""SQLite files for the tests."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL

from tests.support.execute import DELETES, Execute

DELETE_ALL_ROWS = "; ".join(DELETES)  # in any order: this connection checks no foreign keys


@contextmanager
def new_database(folder: Path) -> Generator[str]:
    """Yield the URL of a database that does not exist yet."""
    yield f"sqlite:///{folder}/test.db"


@contextmanager
def connect(url: URL) -> Generator[Execute]:
    """Yield a function that executes statements."""
    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        yield connection.executescript
