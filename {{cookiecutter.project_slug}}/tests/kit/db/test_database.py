"""The pool, the three ways to use it, and the values that are stored."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
# {% if cookiecutter.async_db %}
import asyncio
# {% endif %}
import datetime as dt
# {% if cookiecutter.async_db %}
import gc
# {% endif %}
from contextlib import suppress
# {% if cookiecutter.async_db %}
from uuid import uuid4
# {% endif %}

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError

from app.api.deps import DatabaseDep
from app.core.config import Settings
from app.crud.base import CRUDBase
from app.db.base import User
from app.db.session import open_database
from app.kit.db import outage
from app.kit.db.database import Database
from app.kit.errors import ConflictError, UnavailableError
from app.kit.logging import request_id
from app.kit.schemas import Utc
from app.schemas.user import UserCreate

ADA = {"name": "Ada", "email": "ada@example.com"}
COUNT = select(func.count()).select_from(User)


async def count(database: Database) -> int | None:
    """Return how many users there are."""
    async with database.read() as connection:
        return await connection.scalar(COUNT)


async def test_changes_are_stored(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(User), ADA)
    async with database.single_statement() as connection:
        await connection.execute(insert(User), ADA | {"email": "eve@example.com"})
    assert await count(database) == 2


async def test_transaction_is_rolled_back_on_an_error(database: Database) -> None:
    await fail_after_a_write(database)


async def fail_after_a_write(database: Database) -> None:
    """Fail after a write, and see that it was rolled back."""
    with pytest.raises(KeyError):
        async with database.transaction() as connection:
            await connection.execute(insert(User), ADA)
            raise KeyError
    assert await count(database) == 0


async def test_second_statement_is_refused_where_it_would_not_be_atomic(database: Database) -> None:
    async with database.single_statement() as connection:
        await connection.execute(insert(User), ADA)
        with pytest.raises(RuntimeError, match="use transaction"):
            await connection.execute(delete(User))
    assert await count(database) == 1


async def test_transaction_does_not_begin_inside_another(database: Database) -> None:
    for unit in 2 * (database.read, database.transaction):
        with pytest.raises(InvalidRequestError, match="already"):
            async with unit() as connection:
                await connection.begin()
        await database.ping()


async def test_transaction_does_not_end_inside(database: Database) -> None:
    for end in 2 * ("commit", "rollback"):
        with pytest.raises(InvalidRequestError, match="closed transaction"):
            async with database.transaction() as connection:
                await getattr(connection, end)()
                await connection.execute(insert(User), ADA)
        assert await count(database) == 0


async def test_transaction_is_not_left_open(database: Database) -> None:
    with pytest.raises(RuntimeError, match="left open"):
        async with database.read() as connection:
            await connection.execute(text("BEGIN"))
            await connection.execute(insert(User), ADA)
    assert await count(database) == 0


async def test_connection_is_used_again(database: Database) -> None:
    used = []
    for error in (None, KeyError(), None):
        with suppress(KeyError):
            async with database.read() as connection:
                used.append(connection)
                if error:
                    raise error
    assert used[0] is used[1] is used[2]


async def test_one_connection_serves_reads_and_writes(settings: Settings) -> None:
    database = open_database(settings.model_copy(update={"database_pool_size": 1}))
    for _ in range(2):
        assert await count(database) == 0
        async with database.transaction() as connection:
            await connection.execute(delete(User))
        await fail_after_a_write(database)
    await database.close()


async def test_conflict_names_the_column_but_not_the_value(database: Database) -> None:
    with pytest.raises(ConflictError) as caught:
        async with database.transaction() as connection:
            await connection.execute(insert(User), [ADA, ADA])
    assert str(caught.value) == "conflicts with an existing record: email"


async def test_row_that_breaks_only_the_schema_is_a_mistake_of_the_service(
    database: Database,
) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await connection.execute(insert(User), [ADA | {"name": None}])


@pytest.mark.slow
async def test_statement_that_the_driver_refuses_is_no_outage(
    app: FastAPI, client: TestClient, started: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The driver's own errors, such as too many parameters, say nothing about the database."""

    async def fail(db: DatabaseDep) -> None:
        keys = " + ".join(f":key{number}" for number in range(66_000))
        values = {f"key{number}": number for number in range(66_000)}
        async with db.read() as connection:
            await connection.execute(text(f"SELECT {keys}"), values)

    app.add_api_route("/refused", fail)
    assert client.get("/refused").status_code == 500
    with pytest.raises(DBAPIError):  # which the server logs
        started.get("/refused")
    ours = [record for record in caplog.records if record.name.startswith("app.kit.db")]
    assert not [record for record in ours if record.exc_info]
    assert "does not answer" not in caplog.text
    assert client.get("/health/ready").status_code == 200


async def test_errors_do_not_quote_values(database: Database) -> None:
    with pytest.raises(DBAPIError, match="nowhere") as caught:
        async with database.read() as connection:
            await connection.execute(text("SELECT :name FROM nowhere"), {"name": "Ada"})
    assert "Ada" not in str(caught.value)


async def test_units_of_work_do_not_nest(database: Database) -> None:
    async with database.read():
        with pytest.raises(RuntimeError, match="pass it on"):
            async with database.transaction():
                pass
    assert await count(database) == 0


async def test_waiting_for_a_connection_ends(database: Database) -> None:
    database._pool._readers._wait_seconds = 0.01
    for _ in range(2):
        await database._pool._readers.acquire()
    with pytest.raises(UnavailableError, match="are in use"):
        async with database.read():
            pass
    database._pool._readers.release()
    assert await count(database) == 0


async def test_connection_that_is_held_too_long_is_logged_once(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    database._pool._held_seconds = 0
    monkeypatch.setattr("app.kit.db.pool.CHECK_SECONDS", 0)
    token = request_id.set("slow")
    async with database._pool.lend(writes=False):
        for _ in range(2):
            database._pool._report_long_leases()
    request_id.reset(token)
    await database.ping()
    assert caplog.messages == ["a database connection has been held for 0 s by request slow"]


async def test_errors_about_something_else_stay_what_they_are(database: Database) -> None:
    for error in (FileNotFoundError, TimeoutError):
        with pytest.raises(error):
            async with database.read():
                raise error


def test_outage_is_logged_once_a_second_with_a_reason(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "monotonic", lambda: now)
    outages = outage.OutageLog()
    for now in (1.0, 1.5, 2.5, 3.0):
        outages.unavailable(TimeoutError())
    assert caplog.messages == 2 * ["the database does not answer: TimeoutError"]


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
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of drivers: cancelled while connecting
async def test_cancelled_work_returns_its_connection(database: Database) -> None:
    """Some are cancelled while they wait for a connection, some at any step with one."""

    async def change() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1"))

    async def add() -> None:
        async with database.single_statement() as connection:
            new = {"name": "x", "email": f"{uuid4()}@example.com"}
            await connection.execute(insert(User).returning(User.id), new)

    for exponent in range(11):
        tasks = [asyncio.create_task(use()) for use in 2 * (change, add, database.ping)]
        for _ in range(2**exponent):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.wait_for(asyncio.gather(change(), add(), database.ping()), 5)
    gc.collect()  # while the filter holds


# {% endif %}
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
