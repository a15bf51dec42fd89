"""The databases of the tests: files of their own."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "sqlite:///"


@contextmanager
def new_database(folder: Path) -> Generator[str]:
    """Lend the URL of a database that does not exist yet."""
    yield f"{PREFIX}{folder}/template.db"


def emptied(migrated: str, folder: Path) -> str:
    """Return the URL of a fresh copy: quicker than deleting rows, and nothing is left behind."""
    copy = folder / "test.db"
    shutil.copyfile(migrated.removeprefix(PREFIX), copy)
    return f"{PREFIX}{copy}"
