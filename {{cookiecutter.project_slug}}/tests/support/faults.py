"""Faults of the database that no statement causes."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine


@contextmanager
def failing_commits() -> Generator[None]:
    """Make every COMMIT fail during the block."""

    def fail(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement == "COMMIT":
            raise RuntimeError

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
