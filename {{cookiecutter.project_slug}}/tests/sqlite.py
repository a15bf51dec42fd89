"""The database of the tests: a file of its own."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL, delete

from app.db.base import Base

Sweep: TypeAlias = Callable[[], object]


@contextmanager
def new_database(folder: Path) -> Generator[str]:
    """Lend the URL of a database that does not exist yet."""
    yield f"sqlite:///{folder}/test.db"


@contextmanager
def open_sweeper(url: URL) -> Generator[Sweep]:
    """Lend a function that deletes all rows."""
    deletes = "; ".join(str(delete(table)) for table in reversed(Base.metadata.sorted_tables))
    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        yield partial(connection.executescript, deletes)
