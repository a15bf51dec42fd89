"""PostgreSQL: what only it can do to a service, also when it hangs, and the one of a developer."""

# {% if cookiecutter.async_db %}
import asyncio
# {% endif %}
import os
import shutil
import signal
import socket
import subprocess
import sys
# {% if cookiecutter.async_db %}
from collections.abc import AsyncGenerator, Callable, Generator
# {% else %}
from collections.abc import Callable, Generator
# {% endif %}
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
# {% if cookiecutter.job_queue == "procrastinate" %}
from functools import partial
# {% endif %}
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
# {% if cookiecutter.job_queue == "procrastinate" %}
from typing import LiteralString
# {% endif %}

import pytest
# {% if cookiecutter.job_queue == "procrastinate" %}
from psycopg import Error
# {% endif %}
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.config import Settings
from app.db.session import open_database
# {% if cookiecutter.async_db or cookiecutter.job_queue == "procrastinate" %}
from app.kit.db import engine, pool, postgresql
# {% else %}
from app.kit.db import pool, postgresql
# {% endif %}
from app.kit.db.database import Database
from app.kit.errors import ConflictError, UnavailableError
# {% if cookiecutter.job_queue == "procrastinate" %}
from app.kit.jobs.procrastinate import QueueConnection
# {% endif %}
from scripts import local_database
from tests.support import ROOT
from tests.support.databases import connect
# {% if cookiecutter.job_queue == "procrastinate" %}
from tests.support.jobs import queue
# {% endif %}
from tests.support.postgresql import CLEANER
from tests.support.postgresql_server import Postgresql, new_server
from tests.support.process import PYTHON, environment, get, process
# {% if cookiecutter.job_queue == "procrastinate" %}
from tests.support.workers import reach, worker_process
# {% endif %}

# Drivers notice it when they themselves send the statement.
FORGET = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"
KILL_THE_OTHERS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name <> :spared"
).bindparams(spared=CLEANER)


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
# {% if cookiecutter.async_db %}
async def notice_closed_connections() -> None:
    """Let the event loop see that the server has closed connections."""
    await asyncio.sleep(0.05)


# {% else %}
def notice_closed_connections() -> None:
    """Do nothing: threads see it when they use the connection."""


# {% endif %}
@pytest.mark.parametrize("idle_seconds", [0, 1])
async def test_connection_cut_while_idle_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, idle_seconds: float
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", idle_seconds)
    database = open_database(settings)
    other = open_database(settings)
    await database.ping()
    async with other.read() as connection:
        await connection.execute(KILL_THE_OTHERS)
    await notice_closed_connections()
    await database.ping()
    await database.close()
    await other.close()


async def test_one_idle_connection_without_an_answer_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them would have to time out before a request gets a new connection."""
    asked: list[object] = []

    async def fail(connection: object) -> bool:
        asked.append(connection)
        return False

    idle = [await database._pool._take() for _ in range(2)]
    for pooled in idle:
        database._pool._put_back(pooled)
    monkeypatch.setattr(pool, "ping", fail)
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", 0)
    await database.ping()
    assert len(asked) == 1


async def test_connection_cut_at_work_is_reported_and_replaced(settings: Settings) -> None:
    database = open_database(settings)
    other = open_database(settings)
    with pytest.raises(UnavailableError):
        async with database.read() as connection:
            async with other.read() as killer:
                await killer.execute(KILL_THE_OTHERS)
            await connection.execute(text("SELECT 1"))
    await database.ping()
    await database.close()
    await other.close()


# {% if cookiecutter.async_db %}
async def test_closing_ends_though_the_server_hangs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(engine, "CLOSE_SECONDS", 0.01)
    database._pool._closer._tasks.add(asyncio.create_task(hang()))
    async with asyncio.timeout(1):
        await database.close()


# {% endif %}
async def test_unreachable_server_is_an_outage(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    away = f"postgresql://nobody:secret@127.0.0.1:{port}/nothing"
    database = open_database(
        Settings(database_url=away, database_connect_seconds=settings.database_connect_seconds)
    )
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        await database.ping()
    assert "secret" not in str(caught.value)
    await database.close()


@pytest.mark.parametrize("state", ["57P03", "53300", "40P01", "55P03"])
async def test_server_that_starts_or_is_busy_is_an_outage(database: Database, state: str) -> None:
    failing = text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")
    with pytest.raises(UnavailableError):
        async with database.read() as connection:
            await connection.execute(failing)


async def test_database_that_does_not_exist_is_an_outage(settings: Settings) -> None:
    url = settings.database_url.set(database="missing")
    database = open_database(settings.model_copy(update={"database_url": url}))
    with pytest.raises(UnavailableError):
        await database.ping()
    await database.close()


async def use(database: Database, statement: str) -> int:
    """Execute a statement twenty times, on two connections in turn; return how many failed."""
    failed = 0
    for _ in range(10):
        for use in (database.read, database.transaction):
            try:
                async with use() as connection:
                    await connection.execute(text(statement))
            except UnavailableError:
                failed += 1
    return failed


async def open_two(database: Database) -> None:
    """Open two connections, which wait in the pool for the next use."""
    async with database._pool.lend(writes=False):
        token = database._pool._held.set(None)
        await database.ping()
        database._pool._held.reset(token)


@pytest.fixture
async def other(settings: Settings) -> AsyncGenerator[Database]:
    """Open a second pool, as a second process would."""
    other = open_database(settings)
    yield other
    await other.close()


async def test_altered_column_fails_at_most_one_request(
    database: Database,
    other: Database,
) -> None:
    """Prepared statements that return other types than before would fail for ever."""
    async with other.transaction() as connection:
        await connection.execute(text("CREATE TABLE altered (label varchar(5))"))
    try:
        await open_two(database)
        assert await use(database, "SELECT label FROM altered") == 0
        async with other.transaction() as connection:
            await connection.execute(text("ALTER TABLE altered ALTER label TYPE varchar(9)"))
        assert await use(database, "SELECT label FROM altered") <= 1
    finally:
        async with other.transaction() as connection:
            await connection.execute(text("DROP TABLE altered"))


@pytest.mark.parametrize(
    ("damage", "statement"),
    [
        # What a primary says that has become a replica, but keeps its connections.
        ("SET default_transaction_read_only = on", 'DELETE FROM "user" WHERE id = 0'),
        # What an external pool does between two transactions.
        (FORGET, 'SELECT id FROM "user"'),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '25P03'; END $$", "SELECT 1"),
    ],
)
async def test_useless_connection_fails_at_most_one_request(
    database: Database, damage: str, statement: str
) -> None:
    await open_two(database)
    assert await use(database, statement) == 0
    for _ in range(2):
        with suppress(UnavailableError):
            async with database.read() as connection:
                await connection.execute(text(damage))
    assert await use(database, statement) <= 1


async def test_replica_is_not_ready_and_its_connections_are_replaced(database: Database) -> None:
    await open_two(database)
    for _ in range(2):
        async with database.read() as connection:
            await connection.execute(text("SET default_transaction_read_only = on"))
    with pytest.raises(UnavailableError, match="read-only"):
        await database.ping()
    await database.ping()


async def test_type_that_was_replaced_fails_at_most_one_request(
    database: Database,
    other: Database,
) -> None:
    """Drivers remember types by number."""
    create = "CREATE TYPE taste AS ENUM ('sweet', 'sour')"
    select = "SELECT CAST('sour' AS taste), CAST(ARRAY['sweet'] AS taste[])"
    async with other.transaction() as connection:
        await connection.execute(text(create))
    try:
        await open_two(database)
        assert await use(database, select) == 0
        async with other.transaction() as connection:
            await connection.execute(text("DROP TYPE taste"))
            await connection.execute(text(create))
        failed = 0
        for _ in range(10):
            try:
                async with database.read() as connection:
                    await connection.execute(text(select))
            except (UnavailableError, DBAPIError):
                failed += 1
        assert failed <= 1
    finally:
        async with other.transaction() as connection:
            await connection.execute(text("DROP TYPE taste"))


async def test_transaction_that_failed_is_not_committed_in_silence(database: Database) -> None:
    """PostgreSQL answers its COMMIT with a ROLLBACK that drivers do not report."""
    add = text("INSERT INTO \"user\" (name, email, is_superuser) VALUES ('x', 'x', false)")
    with pytest.raises(DBAPIError, match="aborted"):
        async with database.transaction() as connection:
            await connection.execute(add)
            with suppress(ConflictError):
                await connection.execute(add)
    async with database.transaction() as connection:  # a savepoint is what makes it possible
        await connection.execute(add)
        with suppress(ConflictError):
            async with connection.begin_nested():
                await connection.execute(add)
    async with database.read() as connection:
        assert await connection.scalar(text('SELECT count(*) FROM "user"')) == 1


# {% if cookiecutter.__driver == "psycopg" %}
async def test_options_of_the_url_hold_beside_those_of_the_service(settings: Settings) -> None:
    options = ("-csearch_path=x", "-cwork_mem=8MB")
    url = settings.database_url.update_query_dict({"options": options})
    database = open_database(settings.model_copy(update={"database_url": url}))
    async with database.read() as connection:
        assert await connection.scalar(text("SHOW search_path")) == "x"
        assert await connection.scalar(text("SHOW work_mem")) == "8MB"
        assert await connection.scalar(text("SHOW statement_timeout")) == "10s"
    await database.close()


# {% endif %}
async def test_slow_statement_is_an_outage_at_the_timeout(settings: Settings) -> None:
    patience = {"database_statement_seconds": 0.5}
    database = open_database(settings.model_copy(update=patience))
    with pytest.raises(UnavailableError):
        async with database.read() as connection:
            await connection.execute(text("SELECT pg_sleep(10)"))
    await database.ping()
    await database.close()


# {% endfilter %}
@pytest.fixture(scope="module")
def server() -> Generator[Postgresql]:
    """Lend a migrated database on a server that may be frozen."""
    with new_server() as server:
        variables = environment(Settings(database_url=server.url))
        migrate = [*PYTHON, "alembic", "-c", ROOT / "pyproject.toml", "upgrade", "heads"]
        subprocess.run(migrate, env=variables, check=True)
        yield server


# {% if cookiecutter.async_db %}
@pytest.mark.slow
async def test_statement_ends_though_the_server_hangs(server: Postgresql) -> None:
    settings = Settings(database_url=server.url, database_statement_seconds=1)
    database = open_database(settings)
    with pytest.raises(UnavailableError):
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))
            with server.frozen():
                async with asyncio.timeout(5):
                    await connection.execute(text("SELECT 1"))
    await database.ping()
    await database.close()


# {% endif %}
# {% if cookiecutter.job_queue == "procrastinate" %}
@pytest.mark.parametrize(
    ("damage", "statement"),
    [
        ("SET default_transaction_read_only = on", "DELETE FROM procrastinate_jobs"),
        (FORGET, "SELECT id FROM procrastinate_jobs"),
    ],
)
async def test_broken_connection_of_the_queue_is_closed(
    settings: Settings, damage: LiteralString, statement: LiteralString
) -> None:
    url = settings.database_url.set(drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    connection = await QueueConnection.connect(address, autocommit=True)
    connection.statement_seconds = 5
    await connection.execute(statement, prepare=True)
    await connection.execute(damage)
    with pytest.raises(Error):
        await connection.execute(statement)
    assert connection.closed
    await connection.close()


@pytest.mark.slow
async def test_worker_ends_though_the_server_hangs(server: Postgresql) -> None:
    """So that its supervisor starts it again."""
    settings = Settings(database_url=server.url)
    bounds = {name: "1" for name in ("DATABASE_CONNECT_SECONDS", "DATABASE_STATEMENT_SECONDS")}
    database = open_database(settings)
    await engine.call_from_async(partial(queue, database, "hang"))
    with worker_process(settings, **bounds) as worker:
        await reach(database, 1, "running")
        with server.frozen():
            assert worker.wait(40) == 1
    await engine.call_from_async(database.close)


# {% endif %}
@pytest.mark.slow
def test_service_ends_though_the_server_hangs(server: Postgresql) -> None:
    settings = Settings(database_url=server.url)
    with (
        process(settings, DATABASE_STATEMENT_SECONDS="1", GRACE_SECONDS="5") as (running, url),
        ThreadPoolExecutor() as thread,
        server.frozen(),
    ):
        waiting = thread.submit(get, f"{url}/health/ready")
        sleep(1)  # for the request to arrive
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == -signal.SIGTERM
        assert waiting.result().status_code == 503


@pytest.mark.parametrize("mode", [None, 0o600, 0o644])
def test_local_address_is_only_readable_by_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int | None
) -> None:
    env = tmp_path / ".env"
    monkeypatch.setattr(local_database, "ENV_FILE", env)
    if mode:
        env.write_text("PORT=9\nDATABASE_URL=old\n")
        env.chmod(mode)
    local_database.write("postgresql://new")
    assert env.stat().st_mode & 0o777 == 0o600
    assert env.read_text().splitlines()[-1] == "DATABASE_URL='postgresql://new'"
    assert env.read_text().count("DATABASE_URL") == 1
    assert env.read_text().startswith("PORT=9\n") == (mode is not None)


@pytest.mark.parametrize("command", [local_database.start, local_database.stop])
def test_database_of_another_folder_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[[], None]
) -> None:
    """A folder that was copied while its server ran has that server's file."""
    (tmp_path / "postmaster.pid").write_text("1\n/elsewhere/.data/postgresql\n")
    monkeypatch.setattr(local_database, "DATA", tmp_path)
    with pytest.raises(SystemExit, match="while the database of /elsewhere/.data/postgresql ran"):
        command()


@pytest.mark.slow
def test_local_server_runs_in_a_folder_of_any_name() -> None:
    # Not in pytest's folders: see scripts/local_database.py.
    with TemporaryDirectory(prefix="a b&c;d+e#f%20g:h,i'j(k)-") as folder:
        Path(folder, "scripts").mkdir()
        shutil.copy(local_database.__file__, Path(folder, "scripts"))
        command = [sys.executable, "-m", "scripts.local_database"]
        variables = os.environ | {"LC_ALL": "not_THERE.UTF-8"}
        subprocess.run([*command, "start"], cwd=folder, env=variables, check=True)
        try:
            settings = Settings(_env_file=Path(folder, ".env"))
            with connect(settings.database_url) as execute:
                # Nobody else may reach it: it asks for no password.
                is_closed = "current_setting('unix_socket_permissions') = '0700'"
                finds_any_case = "lower('CRÈME') = 'crème'"
                execute(f"DO $$ BEGIN ASSERT {is_closed} AND {finds_any_case}; END $$")
        finally:
            subprocess.run([*command, "stop"], cwd=folder, check=True)
