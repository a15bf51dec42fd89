"""Statements that tests execute without the service."""

from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import delete

from app.db.base import Base

Execute: TypeAlias = Callable[[str], object]
DELETES = [str(delete(table)) for table in Base.metadata.tables.values()]
