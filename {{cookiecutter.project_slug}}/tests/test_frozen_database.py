"""A database that stops answering: requests and the process itself end all the same."""

import signal
import subprocess
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
# {% if cookiecutter.job_queue == "procrastinate" %}
from functools import partial
# {% endif %}
from time import sleep

# {% if cookiecutter.async_db %}
import anyio
import pytest
from sqlalchemy import text
# {% else %}
import pytest
# {% endif %}

from app.core.config import Settings
# {% if cookiecutter.async_db %}
from app.core.errors import UnavailableError
# {% endif %}
# {% if cookiecutter.job_queue == "procrastinate" %}
from app.db.engine import run_from_loop
# {% endif %}
# {% if cookiecutter.async_db or cookiecutter.job_queue == "procrastinate" %}
from app.db.session import Database
# {% endif %}
from soak.outage import Postgresql, new_server
from tests.conftest import ROOT
# {% if cookiecutter.job_queue == "procrastinate" %}
from tests.jobs.jobs import queue
from tests.jobs.test_worker import process as work
from tests.jobs.test_worker import reach
# {% endif %}
from tests.test_serve import PYTHON, environment, get, process

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database() -> Generator[Postgresql]:
    with new_server() as database:
        variables = environment(Settings(database_url=database.url))
        migrate = [*PYTHON, "alembic", "-c", ROOT / "pyproject.toml", "upgrade", "heads"]
        subprocess.run(migrate, env=variables, check=True)
        yield database


# {% if cookiecutter.async_db %}
async def test_statement_ends_though_the_database_hangs(database: Postgresql) -> None:
    db = Database.from_settings(Settings(database_url=database.url, database_statement_seconds=1))
    with pytest.raises(UnavailableError):
        async with db.read() as connection:
            await connection.execute(text("SELECT 1"))
            with database.frozen(), anyio.fail_after(5):
                await connection.execute(text("SELECT 1"))
    await db.ping()
    await db.close()


# {% endif %}
# {% if cookiecutter.job_queue == "procrastinate" %}
async def test_worker_ends_though_the_database_hangs(database: Postgresql) -> None:
    """So that its supervisor starts it again."""
    settings = Settings(database_url=database.url)
    bounds = {name: "1" for name in ("DATABASE_CONNECT_SECONDS", "DATABASE_STATEMENT_SECONDS")}
    db = Database.from_settings(settings)
    await run_from_loop(partial(queue, db, "hang"))
    with work(settings, **bounds) as worker:
        await reach(db, 1, "running")
        with database.frozen():
            assert worker.wait(40) == 1
    await run_from_loop(db.close)


# {% endif %}
def test_service_ends_though_the_database_hangs(database: Postgresql) -> None:
    settings = Settings(database_url=database.url)
    with (
        process(settings, DATABASE_STATEMENT_SECONDS="1", GRACE_SECONDS="5") as (running, url),
        ThreadPoolExecutor() as thread,
        database.frozen(),
    ):
        waiting = thread.submit(get, f"{url}/health/ready")
        sleep(1)  # for the request to arrive
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == -signal.SIGTERM
        assert waiting.result().status_code == 503
