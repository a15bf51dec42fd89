"""What only PostgreSQL can do to a service."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
# {% if cookiecutter.async_db %}
import asyncio
# {% endif %}
import socket

import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.core.errors import UnavailableError
# {% if cookiecutter.async_db %}
from app.db import engine, postgresql
from app.db.engine import AsyncEngine
# {% else %}
from app.db import postgresql
# {% endif %}
from app.db.session import Database
from tests.postgresql import SWEEPER

KILL_THE_OTHERS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name <> :spared"
).bindparams(spared=SWEEPER)


@pytest.mark.parametrize("idle_seconds", [0, 1])
async def test_connection_cut_while_idle_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, idle_seconds: float
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", idle_seconds)
    database = Database.from_settings(settings)
    other = Database.from_settings(settings)
    await database.ping()
    async with other.read() as connection:
        await connection.execute(KILL_THE_OTHERS)
    # {% if cookiecutter.async_db %}
    await asyncio.sleep(0.05)  # the event loop sees the end of the connection at its next turn
    # {% endif %}
    await database.ping()
    await database.close()
    await other.close()


async def test_connection_cut_at_work_is_reported_and_replaced(settings: Settings) -> None:
    database = Database.from_settings(settings)
    other = Database.from_settings(settings)
    with pytest.raises(UnavailableError):
        async with database.read() as connection:
            async with other._engine.connect() as killer:
                await killer.execute(KILL_THE_OTHERS)
            await connection.execute(text("SELECT 1"))
    await database.ping()
    await database.close()
    await other.close()


# {% if cookiecutter.async_db %}
async def test_closing_ends_though_the_server_hangs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: AsyncEngine) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(engine, "CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(AsyncEngine, "dispose", hang)
    async with asyncio.timeout(1):
        await database.close()


# {% endif %}
async def test_server_that_is_away_is_reported(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    away = f"postgresql://nobody:secret@127.0.0.1:{port}/nothing"
    database = Database.from_settings(
        Settings(database_url=away, database_connect_seconds=settings.database_connect_seconds)
    )
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        await database.ping()
    assert "secret" not in str(caught.value)
    await database.close()


async def test_server_that_starts_or_is_full_is_no_fault_of_ours(database: Database) -> None:
    for state in ("57P03", "53300", "40P01"):
        failing = text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")
        with pytest.raises(UnavailableError):
            async with database.read() as connection:
                await connection.execute(failing)


# {% if cookiecutter.__driver == "psycopg" %}
async def test_options_of_the_url_hold_beside_those_of_the_service(settings: Settings) -> None:
    url = settings.database_url.update_query_dict({"options": "-csearch_path=x"})
    database = Database.from_settings(settings.model_copy(update={"database_url": url}))
    async with database.read() as connection:
        assert await connection.scalar(text("SHOW search_path")) == "x"
        assert await connection.scalar(text("SHOW statement_timeout")) == "10s"
    await database.close()


# {% endif %}
async def test_statement_that_takes_too_long_is_given_up(settings: Settings) -> None:
    patience = {"database_statement_seconds": 0.1}
    database = Database.from_settings(settings.model_copy(update=patience))
    with pytest.raises(UnavailableError):
        async with database.read() as connection:
            await connection.execute(text("SELECT pg_sleep(10)"))
    await database.ping()
    await database.close()


# {%- endfilter +%}
