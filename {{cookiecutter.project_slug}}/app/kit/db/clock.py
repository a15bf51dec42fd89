"""The database's clock, for times that several processes compare: the clocks of hosts differ.

``database_time(seconds)`` is a SQL expression: the current time plus ``seconds``.
"""

import datetime as dt

from sqlalchemy import DateTime, Float, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement


class database_time(FunctionElement[dt.datetime]):
    """The current time of the database in UTC, plus ``seconds``."""

    type = DateTime(timezone=True)
    inherit_cache = True

    def __init__(self, seconds: float | ColumnElement[float] = 0.0) -> None:
        moved = bindparam(None, seconds, Float()) if isinstance(seconds, int | float) else seconds
        super().__init__(moved)


@compiles(database_time, "postgresql")
def _on_postgresql(element: database_time, compiler: SQLCompiler, **options: object) -> str:
    moved = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + make_interval(secs => {moved}))"


@compiles(database_time, "sqlite")
def _on_sqlite(element: database_time, compiler: SQLCompiler, **options: object) -> str:
    """Format times as SQLAlchemy stores them, with microseconds; SQLite has milliseconds."""
    moved = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({moved}) || ' seconds')"
