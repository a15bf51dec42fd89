"""The database of the tests: a file of its own."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL, delete

from app.db.base import Base

Execute: TypeAlias = Callable[[str], object]
SWEEP = "; ".join(str(delete(table)) for table in reversed(Base.metadata.sorted_tables))


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
