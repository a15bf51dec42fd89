"""Columns of records that say when they changed, and how often."""

import datetime as dt

from sqlalchemy import Integer, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db.clock import database_time


class Versioned:
    """Adds to a model the times of its records, in UTC, and a version that each change increments.

    The columns are part of every ``insert()`` and ``update()`` of the model, so no code sets them.
    """

    created_at: Mapped[dt.datetime] = mapped_column(default=database_time())
    updated_at: Mapped[dt.datetime] = mapped_column(
        default=database_time(), onupdate=database_time()
    )
    version: Mapped[int] = mapped_column(
        default=1, onupdate=literal_column("version", Integer()) + 1
    )
