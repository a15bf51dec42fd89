"""The service as a process."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx2
import pytest
from sqlalchemy import select

from app.core.config import Settings
from app.db.base import User
from app.kit.db.engine import with_sync_connection
from app.kit.server.server import build_app, server_options
from tests.support import ROOT, databases
from tests.support.process import (
    PYTHON,
    environment,
    free_port,
    get,
    process,
    run,
    wait_until,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)]
)
def test_readiness_fails_before_the_process_ends(
    settings: Settings, number: signal.Signals, code: int
) -> None:
    with process(settings, DRAIN_SECONDS="2") as (running, url):
        running.send_signal(number)
        wait_until(f"{url}/health/ready", 503, seconds=2)
        assert get(f"{url}/health/live").status_code == 200
        assert running.wait(10) == code


def test_running_request_is_finished(settings: Settings) -> None:
    with process(settings, APP_MODULE="tests.support.apps:slow_app") as (running, url):
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(get, f"{url}/slow")
            sleep(0.3)
            running.send_signal(signal.SIGTERM)
            assert answer.result(10).json() == "done"
        assert running.wait(10) == -signal.SIGTERM


async def seconds_until_answered(port: int, is_over: asyncio.Event) -> float:
    """Return how long a client waits for its first answer; it goes on until all have one."""
    started = monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waited = 0.0
    while not waited or not is_over.is_set():
        writer.write(b"GET /health/busy HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"null")
        waited = waited or monotonic() - started
    writer.close()
    return waited


async def test_clients_that_come_at_once_are_answered_in_turn(settings: Settings) -> None:
    """The last of 64 would wait for 2,000 answers, 10 s, if the loop accepted one at a time."""
    factory = {"APP_MODULE": "tests.support.apps:busy_app", "LOG_LEVEL": "WARNING"}
    with process(settings, **factory) as (_, url):
        port = int(url.rpartition(":")[2])
        is_over = asyncio.Event()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            clients = [group.create_task(seconds_until_answered(port, is_over)) for _ in range(64)]
            await asyncio.sleep(5)
            is_over.set()
        assert max(client.result() for client in clients) < 4


@contextmanager
def behind(proxies: str, settings: Settings) -> Generator[str]:
    """Run the service behind these proxies and yield its address."""
    factory = {"APP_MODULE": "tests.support.apps:client_app"}
    with process(settings, FORWARDED_ALLOW_IPS=proxies, **factory) as (_, url):
        yield url


@pytest.fixture(scope="module")
def url(shared_settings: Settings) -> Generator[str]:
    """Run the service behind a proxy that is not here, for tests that leave it as it is."""
    with behind("198.51.100.1", shared_settings) as url:
        yield url


def test_forwarded_headers_are_believed_from_listed_proxies_only(
    settings: Settings, url: str
) -> None:
    # The first address is what the client itself claims.
    chain = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2, 198.51.100.7", "X-Forwarded-Proto": "https"}
    with httpx2.Client(headers=chain, trust_env=False) as client:
        assert client.get(f"{url}/client").json() == "http 127.0.0.1"
        with behind("127.0.0.1,198.51.100.0/24", settings) as other:
            assert client.get(f"{other}/client").json() == "https 192.0.2.2"
        with behind("", settings) as other:
            assert client.get(f"{other}/client").json() == "http 127.0.0.1"


def test_log_is_a_line_of_json_for_each_request(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with process(settings, ROOT_PATH="/prefix") as (running, url):
        page = get(f"{url}/docs?who=lovelace")
        assert "/prefix/api/v1/openapi.json" in page.text
        running.terminate()  # once the line is written
        running.wait(10)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert not [line for line in lines if "not started by" in line["message"]]
    routes = [line["route"] for line in lines if line["logger"] == "app.access"]
    assert routes.count("/docs") == 1
    assert "lovelace" not in str(lines)


def test_server_does_not_name_itself(url: str) -> None:
    assert "server" not in get(f"{url}/health/live").headers


def test_waiting_for_the_database_ends(settings: Settings) -> None:
    away = "{{ {'sqlite': 'sqlite:////nowhere/at/all.db', 'postgresql': 'postgresql://nobody:secret@127.0.0.1:1/nothing'}[cookiecutter.database] }}"
    ended = run(
        "app.backend_pre_start",
        environment(settings, DATABASE_START_SECONDS="0.1", DATABASE_URL=away),
    )
    assert ended.returncode == 1
    assert ended.stderr == ""
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["level"] for line in lines] == ["INFO", "CRITICAL"]
    assert lines[1]["message"].startswith("The database did not answer in 0.1 s: ")
    assert "secret" not in ended.stdout


def test_two_processes_can_prepare_the_database_at_once(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for name in ("app", "migrations", "prestart.sh", "pyproject.toml"):  # but no .env
        (tmp_path / name).symlink_to(ROOT / name)
    with databases.new_database(tmp_path) as url:
        preparing = [
            subprocess.Popen(
                [tmp_path / "prestart.sh"],
                env=os.environ | {"DATABASE_URL": url, "PATH": path},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(2)
        ]
        for one in preparing:
            said, _ = one.communicate(timeout=60)
            assert one.returncode == 0, said
        emails: list[str] = []
        prepared = Settings(database_url=url).database_url
        with_sync_connection(prepared, lambda c: emails.extend(c.scalars(select(User.email))))
        assert emails == ["admin@example.com"]


def test_reload_serves_changed_code(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app")
    monkeypatch.chdir(tmp_path)
    main = tmp_path / "app" / "main.py"
    with process(settings, RELOAD="true", PYTHONPATH=str(tmp_path)) as (running, url):
        try:
            text = main.read_text(encoding="utf-8")
            main.write_text(text.replace("    app.include_router(health.router)\n", ""), "utf-8")
            wait_until(f"{url}/health/live", 404, seconds=20)
        finally:
            running.terminate()  # which ends the process that serves, too
            running.wait(10)


def test_grace_is_never_longer_than_allowed(settings: Settings) -> None:
    longest = settings.model_copy(update={"grace_seconds": 15.5})
    assert server_options(longest, longest)["timeout_graceful_shutdown"] == 15


def test_connections_are_kept_longer_than_by_usual_proxies(settings: Settings) -> None:
    """nginx and the load balancers of AWS close theirs after 60 s."""
    assert server_options(settings, settings)["timeout_keep_alive"] > 60


@pytest.mark.parametrize("factory", ["app.main:nothing", "app.main:ABOUT", "os:getcwd"])
def test_invalid_factory_is_refused_in_one_sentence(factory: str) -> None:
    with pytest.raises(SystemExit, match="^APP_MODULE: .+$"):
        build_app(factory)


@pytest.mark.parametrize("reload", ["true", "false"])
def test_port_in_use_is_reported_before_the_start(settings: Settings, reload: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = run("app.serve", environment(settings, PORT=port, RELOAD=reload))
    assert ended.returncode == 1
    assert ended.stderr == ""
    said = json.loads(ended.stdout)["message"]
    assert said.startswith(f"PORT: {port} is in use on 127.0.0.1")


@pytest.mark.parametrize("workers", [1, 2])
def test_other_servers_log_that_protections_are_missing(settings: Settings, workers: int) -> None:
    port = free_port()
    options = ["--factory", "--port", str(port), "--workers", str(workers)]
    command = [*PYTHON, "uvicorn", "app.main:create_app", *options]
    with subprocess.Popen(
        command, env=environment(settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        wait_until(f"http://127.0.0.1:{port}/health/live", 200, seconds=30)
        running.terminate()
        said = running.communicate(timeout=30)[0].decode()
    assert 1 <= said.count("not started by app.serve") <= workers


def test_request_that_outlasts_the_grace_is_answered_503(settings: Settings) -> None:
    app_module = "tests.support.apps:slow_app"
    with process(settings, APP_MODULE=app_module, GRACE_SECONDS="0") as (running, url):
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(get, f"{url}/slow")
            sleep(0.3)
            running.send_signal(signal.SIGTERM)
            assert answer.result(10).status_code == 503
            assert answer.result().json()["detail"] == "the service is shutting down"
        assert running.wait(10) == -signal.SIGTERM


def test_clients_are_asked_to_close_and_idle_ones_are_closed(settings: Settings) -> None:
    with (
        process(settings, DRAIN_SECONDS="1") as (running, url),
        httpx2.Client(base_url=url, trust_env=False) as client,
    ):
        assert "connection" not in client.get("/health/live").headers
        idle = socket.create_connection(("127.0.0.1", client.base_url.port))
        running.send_signal(signal.SIGTERM)
        sleep(0.5)
        assert client.get("/health/live").headers["connection"] == "close"
        assert running.wait(5) == -signal.SIGTERM
        idle.close()
