"""The database of this service."""

from app.core.config import Settings
from app.kit.db.database import Database

__all__ = ["Database", "open_database"]


def open_database(settings: Settings) -> Database:
    """Return the pool of connections; it connects when it is first used."""
    return Database.from_settings(settings)
