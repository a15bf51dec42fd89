"""The database of this service."""

from app.core.config import Settings
from app.kit.db.database import Database

__all__ = ["Database", "open_database"]


def open_database(settings: Settings) -> Database:
    """Return the database with its connection pool, which connects on first use."""
    return Database.from_settings(settings)
