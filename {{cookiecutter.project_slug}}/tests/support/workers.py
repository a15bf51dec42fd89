"""Workers, as processes."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

import anyio

from app.core.config import Settings
from app.db.session import Database
from app.kit.db.engine import call_from_async
from tests.support.jobs import count
from tests.support.process import PYTHON, environment

IMPATIENT = {"JOB_HEARTBEAT_SECONDS": "0.5", "JOB_LOST_SECONDS": "2"}


@contextmanager
def worker_process(settings: Settings, **more: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker that also knows the jobs of the tests."""
    variables = environment(settings, **IMPATIENT | more)
    command = [*PYTHON, "tests.support.jobs"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.kill()


async def reach(database: Database, number: int, status: str) -> None:
    """Wait until so many jobs have a status."""
    with anyio.fail_after(40):
        while await call_from_async(partial(count, database, status)) < number:
            await anyio.sleep(0.01)
