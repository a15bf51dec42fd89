"""Units of work, and the values that are stored in them."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
# {% if cookiecutter.async_db %}
import asyncio
# {% endif %}
import datetime as dt
# {% if cookiecutter.async_db and cookiecutter.database == "sqlite" %}
import gc
# {% endif %}
from contextlib import suppress
# {% if cookiecutter.async_db %}
from uuid import uuid4
# {% endif %}

# {% if cookiecutter.async_db and cookiecutter.job_queue == "procrastinate" %}
import psycopg
# {% endif %}
import pytest
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError

from app.core.config import Settings
from app.crud.base import CRUDBase
from app.db import session
from app.db.base import User
from app.db.session import Database
from app.kit.errors import ConflictError, NotFoundError, UnavailableError
from app.kit.schemas import Utc
from app.schemas.user import UserCreate

ADA = {"name": "Ada", "email": "ada@example.com"}
COUNT = select(func.count()).select_from(User)


async def test_write_is_kept(database: Database) -> None:
    for written, unit in enumerate((database.transaction, database.single_statement), start=1):
        async with unit() as connection:
            await connection.execute(insert(User), ADA | {"email": f"{written}@example.com"})
        async with database.read() as connection:
            assert await connection.scalar(COUNT) == written


async def test_write_is_undone_by_an_error(database: Database) -> None:
    await write_in_vain(database)


async def write_in_vain(database: Database) -> None:
    """Fail after a write, and see that it was undone."""
    with pytest.raises(KeyError):
        async with database.transaction() as connection:
            await connection.execute(insert(User), ADA)
            raise KeyError
    async with database.read() as connection:
        assert await connection.scalar(COUNT) == 0


async def test_transactions_do_not_begin_in_a_unit(database: Database) -> None:
    for unit in 2 * (database.read, database.single_statement, database.transaction):
        with pytest.raises(InvalidRequestError, match="already"):
            async with unit() as connection:
                await connection.begin()
        await database.ping()


async def test_connection_is_lent_again_unless_its_unit_failed(database: Database) -> None:
    lent = []
    for error in (None, NotFoundError(), KeyError(), None):
        with suppress(NotFoundError, KeyError):
            async with database.read() as connection:
                lent.append(connection)
                if error:
                    raise error
    assert lent[0] is lent[1] is lent[2] is not lent[3]


async def test_one_connection_serves_reads_and_writes(settings: Settings) -> None:
    database = Database.from_settings(settings.model_copy(update={"database_pool_size": 1}))
    for _ in range(2):
        async with database.read() as connection:
            assert await connection.scalar(COUNT) == 0
        async with database.transaction() as connection:
            await connection.execute(delete(User))
        await write_in_vain(database)
    await database.close()


async def test_contradiction_is_a_conflict(database: Database) -> None:
    with pytest.raises(ConflictError):
        async with database.transaction() as connection:
            await connection.execute(insert(User), [ADA, ADA])


async def test_row_that_contradicts_only_the_schema_is_a_fault_of_ours(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await connection.execute(insert(User), [ADA | {"name": None}])


async def test_errors_do_not_quote_what_was_sent(database: Database) -> None:
    with pytest.raises(DBAPIError, match="nowhere") as caught:
        async with database.read() as connection:
            await connection.execute(text("SELECT :name FROM nowhere"), {"name": "Ada"})
    assert "Ada" not in str(caught.value)


async def test_units_do_not_nest(database: Database) -> None:
    async with database.read():
        with pytest.raises(RuntimeError, match="is open here"):
            async with database.transaction():
                pass
    async with database.transaction() as connection:
        assert await connection.scalar(COUNT) == 0


async def test_waiting_for_a_connection_ends(database: Database) -> None:
    database._turnstile._wait_seconds = 0.01
    for _ in range(2):
        await database._turnstile.acquire()
    with pytest.raises(UnavailableError, match="wait for the database"):
        async with database.read():
            pass
    database._turnstile.release()
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_error_about_something_else_stays_what_it_is(database: Database) -> None:
    with pytest.raises(FileNotFoundError):
        async with database.read():
            raise FileNotFoundError


async def test_outage_is_logged_once_a_second(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "monotonic", lambda: now)
    for now in (1.0, 1.5, 2.5, 3.0):
        with pytest.raises(UnavailableError):
            async with database.read():
                raise TimeoutError
    assert len(caplog.messages) == 2


async def test_database_without_tables_is_not_ready(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("ALTER TABLE alembic_version RENAME TO elsewhere"))
    try:
        with pytest.raises(UnavailableError, match="no tables yet"):
            await database.ping()
    finally:
        async with database.transaction() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO alembic_version"))


# {% if cookiecutter.async_db %}
# {% if cookiecutter.database == "sqlite" %}
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # aiosqlite: connections cut while opened
# {% endif %}
async def test_work_that_is_cancelled_gives_its_place_back(database: Database) -> None:
    """Some are cancelled while they wait for a connection, some at any step with one."""

    async def write() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1"))

    async def single_statement() -> None:
        async with database.single_statement() as connection:
            somebody = {"name": "x", "email": f"{uuid4()}@example.com"}
            await connection.execute(insert(User).returning(User.id), somebody)

    for exponent in range(11):
        units = [asyncio.create_task(use()) for use in 2 * (write, single_statement, database.ping)]
        for _ in range(2**exponent):
            await asyncio.sleep(0)
        for unit in units:
            unit.cancel()
        await asyncio.gather(*units, return_exceptions=True)
    await asyncio.wait_for(asyncio.gather(write(), single_statement(), database.ping()), 5)
    # {% if cookiecutter.database == "sqlite" %}
    gc.collect()  # while the filter holds
    # {% endif %}


# {% if cookiecutter.job_queue == "procrastinate" %}
async def test_connection_of_which_the_mode_is_not_known_is_thrown_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psycopg may be cancelled when it commits by itself and SQLAlchemy does not know it yet."""
    database = Database.from_settings(settings.model_copy(update={"database_pool_size": 1}))
    await database.ping()
    await database.close()  # for a new connection, which is not pinged
    really_set = psycopg.AsyncConnection.set_autocommit

    async def set_and_be_cancelled(connection: psycopg.AsyncConnection, value: bool) -> None:
        await really_set(connection, value)
        raise asyncio.CancelledError

    with monkeypatch.context() as patch, pytest.raises(asyncio.CancelledError):
        patch.setattr(psycopg.AsyncConnection, "set_autocommit", set_and_be_cancelled)
        await database.ping()
    await write_in_vain(database)
    await database.close()


# {% endif %}
# {% endif %}
async def test_places_come_back_after_errors(database: Database) -> None:
    for _ in range(5):
        with pytest.raises(KeyError):
            async with database.read():
                raise KeyError
    await database.ping()


@pytest.mark.parametrize("time", ["12:00", "12:00Z", "14:00+02:00"])
def test_times_are_in_utc(time: str) -> None:
    read = TypeAdapter(Utc).validate_python(f"2026-11-22T{time}")
    assert read.isoformat() == dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC).isoformat()


class Changes(BaseModel):
    """As they are often written: what was left out is None."""

    name: str | None = None
    email: str | None = None


async def test_fields_that_were_not_sent_stay(database: Database) -> None:
    users = CRUDBase[User, UserCreate, Changes](User)
    async with database.transaction() as connection:
        row = await users.create(connection, UserCreate.model_validate(ADA))
        row = await users.update(connection, row.id, Changes(name="Eve"))
        assert (row.name, row.email) == ("Eve", ADA["email"])
        row = await users.update(connection, row.id, Changes())
        assert (row.name, row.email) == ("Eve", ADA["email"])


# {%- endfilter +%}
