"""PgBouncer in front of the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import os
import pwd
import shutil
# {% if cookiecutter.job_queue == "procrastinate" %}
import signal
# {% endif %}
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import anyio
import pytest
from alembic import command
from sqlalchemy import URL, insert, text

from app.core.config import Settings
from app.db.base import User
from app.db.session import Database, open_database
from app.kit.db.engine import call_from_async
from app.kit.errors import UnavailableError
from tests.support.databases import ALEMBIC
# {% if cookiecutter.job_queue == "procrastinate" %}
from tests.support.jobs import count, queue
from tests.support.process import PYTHON, environment, free_port
# {% else %}
from tests.support.process import free_port
# {% endif %}

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
CLIENTS = 20
# {% if cookiecutter.__driver == "asyncpg" %}
MODE = "session"  # asyncpg needs a connection of its own
SERVER_CONNECTIONS = 2 * CLIENTS
PARAMETERS: dict[str, str] = {}
# {% else %}
MODE = "transaction"
SERVER_CONNECTIONS = 3
PARAMETERS = {"pgbouncer": "true"}
# {% endif %}
CONFIGURATION = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
server_tls_sslmode = disable
"""

pytestmark = pytest.mark.skipif(
    PGBOUNCER is None, reason="PgBouncer is not installed: NOTHING IS TRIED BEHIND A POOLER"
)


@pytest.fixture(scope="module")
def pooler(migrated: str) -> Iterator[URL]:
    """Start PgBouncer before the server of the tests; return the URL of their database there."""
    url = Settings(database_url=migrated).database_url
    host = str(url.host or url.query["host"])
    server = {
        "host": host,
        "port": url.port or url.query.get("port", 5432),
        "user": url.username,
        "password": url.password,
    }
    port = free_port()
    with TemporaryDirectory(prefix="pgbouncer-") as folder:
        file = Path(folder, "pgbouncer.ini")
        said = " ".join(f"{name}={value}" for name, value in server.items() if value)
        values = {"server": said, "port": port, "mode": MODE, "size": SERVER_CONNECTIONS}
        file.write_text(CONFIGURATION.format_map(values))
        started = [str(PGBOUNCER), "-q", str(file)]
        if os.geteuid() == 0:  # as which it does not run: as the owner of the server's socket
            owner = Path(host).stat().st_uid if Path(host).exists() else 0
            os.chown(folder, owner or pwd.getpwnam("nobody").pw_uid, -1)
            started += ["-u", pwd.getpwuid(owner or pwd.getpwnam("nobody").pw_uid).pw_name]
        with subprocess.Popen(started) as process:
            wait_for(port)
            address = ("postgresql", url.username, None, "127.0.0.1", port, url.database)
            yield URL.create(*address, PARAMETERS)
            process.kill()


def wait_for(port: int) -> None:
    """Wait until something listens on the port."""
    give_up_at = monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert monotonic() < give_up_at
            sleep(0.05)
        else:
            return


@pytest.fixture
def pooled(settings: Settings, pooler: URL) -> Settings:
    """Name the pooler instead of the server."""
    url = pooler.render_as_string(hide_password=False)
    return Settings(database_url=url, database_pool_size=CLIENTS, database_statement_seconds=1)


async def use(database: Database, number: int) -> None:
    """Do what requests do."""
    values = {"id": number}
    async with database.read() as connection:
        await connection.execute(text('SELECT * FROM "user" WHERE id = :id'), values)
    user = {"name": "Ada", "email": f"{number}@example.com"}
    async with database.single_statement() as statement:
        await statement.execute(insert(User), user)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE \"user\" SET name = 'Eve' WHERE id = :id"), values)


async def read_timeout(database: Database) -> str:
    """Return the time-out of statements outside the service's transactions."""
    async with database._pool.lend(writes=False) as connection:
        return str(await connection.scalar(text("SHOW statement_timeout")))


async def sleep_long(database: Database) -> None:
    """Do what takes too long."""
    async with database.read() as connection:
        await connection.execute(text("SELECT pg_sleep(10)"))


# {% endfilter %}
async def test_statements_of_many_clients_succeed(pooled: Settings) -> None:
    database = open_database(pooled)
    async with anyio.create_task_group() as group:
        for number in range(5 * CLIENTS):
            group.start_soon(call_from_async, partial(use, database, number))
    await call_from_async(database.close)


async def test_statements_end_in_time_and_change_nothing_for_others(pooled: Settings) -> None:
    database = open_database(pooled)
    began = monotonic()
    with pytest.raises(UnavailableError):
        await call_from_async(partial(sleep_long, database))
    assert monotonic() - began < 5
    for _ in range(5):
        assert await call_from_async(partial(read_timeout, database)) == "0"
    await call_from_async(database.close)


def test_migrations_run_behind_the_pooler(
    pooled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ALEMBIC.attributes, "settings", pooled)
    command.upgrade(ALEMBIC, "heads")
    command.check(ALEMBIC)
# {% if cookiecutter.job_queue == "procrastinate" %}


def start_worker(settings: Settings) -> subprocess.Popen[bytes]:
    """Start a worker that knows the jobs of the tests."""
    return subprocess.Popen([*PYTHON, "tests.support.jobs"], env=environment(settings))


@pytest.mark.slow
async def test_worker_runs_jobs_behind_the_pooler(pooled: Settings) -> None:
    database = open_database(pooled)
    await call_from_async(partial(queue, database, "nap", count=CLIENTS))
    with start_worker(pooled) as worker:
        with anyio.fail_after(40):
            while await call_from_async(partial(count, database, "succeeded")) < CLIENTS:
                await anyio.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    await call_from_async(database.close)
# {% endif %}
