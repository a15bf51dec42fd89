"""SQLite with several connections."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from sqlalchemy import insert, text

from app.core.config import Settings
from app.db.base import User
from app.db.session import Database

ADA = {"name": "Ada", "email": "ada@example.com"}


async def test_connections_are_set_up(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA busy_timeout")) == 1000


async def test_reader_goes_on_while_somebody_writes(settings: Settings) -> None:
    writer = Database.from_settings(settings)
    reader = Database.from_settings(settings)
    async with writer._engine.begin() as connection:
        await connection.execute(insert(User), ADA)
        await reader.ping()
    await writer.close()
    await reader.close()


# {%- endfilter +%}
