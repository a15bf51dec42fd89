"""Several processes that serve on one port: ``WORKERS``."""

import json
import os
import re
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.core.config import Settings, load_settings
from app.kit.server.worker_log import open_log_lock
# {% if cookiecutter.auth %}
from tests.support import accounts
# {% endif %}
from tests.support.process import PYTHON, environment, free_port, get, process, run, wait_until

WORKERS = {
    "WORKERS": "2",
    "APP_MODULE": "tests.support.apps:workers_app",
    # {% if cookiecutter.auth %}
    "SECRET_KEY": accounts.KEY,
    # {% endif %}
    # {% if cookiecutter.rate_limit %}
    "RATE_LIMIT_REQUESTS": "1000000",
    # {% endif %}
}
# {% if cookiecutter.rate_limit %}
WARNINGS = 1
# {% else %}
WARNINGS = 0
# {% endif %}


def ask(url: str) -> tuple[int, bytes]:
    """Send a request on a new connection, in less time than httpx2 takes; return the answer."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, timeout=10)) as connection:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        return response.status, response.read()


def status(url: str) -> int:
    return ask(url)[0]


def worker_of(url: str) -> int:
    """Return the id of the process that answers."""
    return int(ask(f"{url}/pid")[1])


def workers_of(url: str, without: int | None = None) -> set[int]:
    """Wait until two workers answer, and not the one that ended; return their ids."""
    give_up_at = monotonic() + 30
    found: set[int] = set()
    while len(found) != 2:
        assert monotonic() < give_up_at, found
        sleep(0.2)
        with ThreadPoolExecutor(8) as threads:  # one worker alone would answer in turn
            found = {*threads.map(worker_of, [url] * 8)} - {without}
    return found


def is_alive(pid: int) -> bool:
    """Return whether there is such a process."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def is_served(url: str) -> bool:
    """Return whether anything accepts connections."""
    with suppress(ConnectionError):
        ask(f"{url}/health/live")
        return True
    return False


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def _several(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(settings, **WORKERS).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_several")
def test_reloader_has_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().workers == 2
    monkeypatch.setenv("RELOAD", "true")
    with pytest.raises(SystemExit, match=r"^RELOAD needs WORKERS=1\.$"):
        load_settings()


@pytest.mark.usefixtures("_several")
def test_windows_has_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(SystemExit, match=r"^WORKERS must be 1 on Windows\.$"):
        load_settings()


@pytest.mark.slow
def test_workers_drain_together_and_log_whole_lines(settings: Settings) -> None:
    """A pipe that is full takes a long line in parts."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    variables = environment(settings, PORT=str(port), DRAIN_SECONDS="4", **WORKERS)
    command = [*PYTHON, "app.serve"]
    with (
        ThreadPoolExecutor(16) as threads,
        subprocess.Popen(command, env=variables, stdout=subprocess.PIPE) as running,
        ExitStack() as stack,
    ):
        stack.callback(running.kill)
        assert running.stdout is not None
        reading = threads.submit(read_slowly, running.stdout.fileno())
        wait_until(f"{url}/health/ready", 200, seconds=30)
        workers = workers_of(url)
        for answer in [threads.submit(get, f"{url}/verbose") for _ in range(40)]:
            answer.result(30).raise_for_status()
        slow = [threads.submit(get, f"{url}/slow") for _ in range(4)]
        sleep(0.3)
        running.terminate()
        sleep(0.3)
        for _ in range(4):
            assert status(f"{url}/health/ready") == 503
            assert status(f"{url}/health/live") == 200
        assert [answer.result(10).json() for answer in slow] == ["done"] * 4
        assert running.wait(10) == 0
        assert not is_served(url)
        assert not [pid for pid in workers if is_alive(pid)]
        lines = lines_of(reading.result(10))
    assert {line["pid"] for line in lines} == {running.pid, *workers}
    long = [line for line in lines if line["logger"] == "tests.verbose"]
    assert len(long) == 40
    assert {line["pid"] for line in long} == workers
    counted = ["memory:// counts in each worker" in line["message"] for line in lines]
    assert sum(counted) == WARNINGS
    assert {line["level"] for line in lines} <= {"INFO", "WARNING"}


def read_slowly(pipe: int) -> str:
    """Read to the end, but keep the pipe full."""
    said = b""
    while part := os.read(pipe, 4096):
        said += part
        sleep(0.001)
    return said.decode()


@pytest.mark.slow
def test_interrupt_drains(settings: Settings) -> None:
    with process(settings, DRAIN_SECONDS="1", **WORKERS) as (running, url):
        running.send_signal(signal.SIGINT)
        wait_until(f"{url}/health/ready", 503, seconds=5)
        assert running.wait(10) == 0


@pytest.mark.slow
def test_dead_worker_is_replaced_unless_that_is_impossible(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    with process(settings, BROKEN=str(broken), **WORKERS) as (running, url):
        before = workers_of(url)
        dead = min(before)
        os.kill(dead, signal.SIGKILL)
        sleep(0.2)  # until the kernel has closed its connections
        (other,) = before - {dead}
        assert worker_of(url) == other
        after = workers_of(url, without=dead)
        assert other in after
        broken.touch()
        os.kill(other, signal.SIGKILL)
        assert running.wait(20) == 1
    assert not [pid for pid in after if is_alive(pid)]
    lines = lines_of(capfd.readouterr().out)
    loud = [line["message"] for line in lines if line["level"] in {"ERROR", "CRITICAL"}]
    assert loud == [
        f"worker {dead} (SIGKILL) died: starting another",
        f"worker {other} (SIGKILL) died: starting another",
        "it is broken",
    ]


@pytest.mark.slow
def test_workers_stop_if_the_supervisor_is_killed(settings: Settings) -> None:
    with process(settings, **WORKERS) as (running, url):
        workers = workers_of(url)
        running.kill()
        running.wait()
        give_up_at = monotonic() + 10
        while any(map(is_alive, workers)):
            assert monotonic() < give_up_at
            sleep(0.05)
        assert not is_served(url)


@pytest.mark.slow
def test_second_interrupt_stops_at_once(settings: Settings) -> None:
    with process(settings, DRAIN_SECONDS="20", GRACE_SECONDS="0", **WORKERS) as (running, url):
        workers = workers_of(url)
        running.send_signal(signal.SIGINT)
        wait_until(f"{url}/health/ready", 503, seconds=5)
        running.send_signal(signal.SIGINT)
        assert running.wait(5) == 1
    assert not [pid for pid in workers if is_alive(pid)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("app.main:nothing", r"APP_MODULE: .+"),
        ("tests.support.apps:unopened_app", r"worker \d+ \(exit code 1\) ended before .+"),
        ("tests.support.apps:killed_app", r"worker \d+ \(SIGKILL\) ended before .+"),
    ],
)
def test_worker_that_cannot_start_ends_the_service(
    settings: Settings, factory: str, said: str
) -> None:
    ended = run("app.serve", environment(settings, **WORKERS | {"APP_MODULE": factory}))
    assert (ended.returncode, ended.stderr) == (1, "")
    lines = lines_of(ended.stdout)
    (critical,) = [line for line in lines if line["level"] == "CRITICAL"]
    assert re.fullmatch(said, critical["message"])
    assert lines[-1] == critical
    assert len({line["pid"] for line in lines}) <= 2  # one worker was started, once


@pytest.mark.slow
def test_port_in_use_is_reported_before_workers_start(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = run("app.serve", environment(settings, PORT=port, **WORKERS))
    assert (ended.returncode, ended.stderr) == (1, "")
    (line,) = lines_of(ended.stdout)
    assert line["message"].startswith(f"PORT: {port} is in use on 127.0.0.1")


def test_missing_folder_for_the_lock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("app.kit.server.worker_log.NamedTemporaryFile", fail)
    with pytest.raises(SystemExit, match=r"^TMPDIR: .+ No such file or directory\.$"):
        with open_log_lock():
            pass
