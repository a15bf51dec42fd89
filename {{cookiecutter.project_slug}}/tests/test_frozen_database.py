"""A database that stops answering while the service is asked to stop."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from app.core.config import Settings
from soak.postgresql import new_server
from tests.conftest import ROOT
from tests.test_serve import environment, get, process


@pytest.mark.slow
def test_service_ends_though_the_database_hangs() -> None:
    with new_server() as database:
        settings = Settings(database_url=database.url)
        migrate = [sys.executable, "-m", "alembic", "upgrade", "heads"]
        subprocess.run(migrate, cwd=ROOT, env=environment(settings), check=True)
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
