"""The service as a process, and how it treats clients that do not come to the point."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Request
from sqlalchemy import select
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app import serve
from app.core.config import Settings
from app.db.base import User
from app.kit.db.engine import with_sync_connection
from app.kit.server import http_protocol
from app.kit.server.http_protocol import BoundedProtocol
from app.main import create_app
from app.serve import build
from soak import service
from tests.conftest import ROOT
from tests.support import databases

pytestmark = pytest.mark.slow
PYTHON = [sys.executable, "-m"]
# Of the clients that do not come to the point.
SECONDS = 0.2
HEADER = b"X-More: 1\r\n"
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
REQUEST = HEAD + b"\r\n"
LATE_HEAD = HEAD.replace(b"/", b"/late", 1)
LATE_REQUEST = LATE_HEAD + b"\r\n"
LAST_REQUEST = HEAD + b"Connection: close\r\n\r\n"
WITH_BODY = HEAD + b"Content-Length: 1000\r\n\r\n"
# As Java's client and `curl --http2` make it.
OFFER = HEAD.replace(b"/", b"/echo", 1) + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


def environment(settings: Settings, **more: str) -> dict[str, str]:
    url = settings.database_url.render_as_string(hide_password=False)
    return os.environ | {"DATABASE_URL": url, "PYTHONPATH": str(ROOT)} | more


def run(module: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [*PYTHON, module]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@contextmanager
def process(settings: Settings, **more: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the service on a free port and lend the process and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = subprocess.Popen(
        [*PYTHON, "app.serve"],
        env=environment(settings, PORT=str(port), **more),
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(f"{url}/health/ready", 200, seconds=30)
        yield running, url
    finally:
        running.kill()
        running.wait()


def get(url: str) -> httpx2.Response:
    """Ask past any proxy that the developer's environment names."""
    return httpx2.get(url, trust_env=False, timeout=10)


def wait_until(url: str, status: int, *, seconds: float) -> None:
    """Ask until that is the answer, for so long."""
    give_up_at = monotonic() + seconds
    with httpx2.Client(trust_env=False) as client:  # a new one takes 20 ms of what it waits for
        while monotonic() < give_up_at:
            with suppress(httpx2.TransportError):
                if client.get(url).status_code == status:
                    return
            sleep(0.05)
    raise AssertionError(f"{url} did not answer {status} in {seconds} s")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)]
)
def test_leaves_only_after_saying_so(settings: Settings, number: signal.Signals, code: int) -> None:
    with process(settings, DRAIN_SECONDS="2") as (running, url):
        running.send_signal(number)
        wait_until(f"{url}/health/ready", 503, seconds=2)
        assert get(f"{url}/health/live").status_code == 200
        assert running.wait(10) == code


def slow_app() -> FastAPI:
    """Build the service with an endpoint that takes a second."""
    app = create_app()
    app.add_api_route("/slow", slow)
    return app


async def slow() -> str:
    await asyncio.sleep(1)
    return "done"


def test_request_under_way_is_finished(settings: Settings) -> None:
    with process(settings, APP_MODULE="tests.kit.server.test_serve:slow_app") as (running, url):
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(get, f"{url}/slow")
            sleep(0.3)
            running.send_signal(signal.SIGTERM)
            assert answer.result(10).json() == "done"
        assert running.wait(10) == -signal.SIGTERM


def client_app() -> FastAPI:
    """Build the service with an endpoint that tells who asked."""
    app = create_app()
    app.add_api_route("/client", client)
    return app


async def client(request: Request) -> str:
    return f"{request.url.scheme} {request.client.host if request.client else None}"


@contextmanager
def behind(proxies: str, settings: Settings) -> Generator[str]:
    """Run the service behind these proxies and lend its address."""
    factory = {"APP_MODULE": "tests.kit.server.test_serve:client_app"}
    with process(settings, FORWARDED_ALLOW_IPS=proxies, **factory) as (_, url):
        yield url


@pytest.fixture(scope="module")
def url(shared_settings: Settings) -> Generator[str]:
    """Run the service behind a proxy that is not here, for tests that leave it as it is."""
    with behind("198.51.100.1", shared_settings) as url:
        yield url


def test_only_proxies_are_believed_who_asks(settings: Settings, url: str) -> None:
    # The first address is what the client itself claims.
    chain = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2, 198.51.100.7", "X-Forwarded-Proto": "https"}
    with httpx2.Client(headers=chain, trust_env=False) as client:
        assert client.get(f"{url}/client").json() == "http 127.0.0.1"
        with behind("127.0.0.1,198.51.100.0/24", settings) as other:
            assert client.get(f"{other}/client").json() == "https 192.0.2.2"


def test_log_is_a_line_of_json_for_each_request(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with process(settings, ROOT_PATH="/prefix") as (running, url):
        page = get(f"{url}/docs?who=lovelace")
        assert "/prefix/api/v1/openapi.json" in page.text
        running.terminate()  # once the line is written
        running.wait(10)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    routes = [line["route"] for line in lines if line["logger"] == "app.access"]
    assert routes.count("/docs") == 1
    assert "lovelace" not in str(lines)


def test_server_does_not_name_itself(url: str) -> None:
    assert "server" not in get(f"{url}/health/live").headers


def test_web_sockets_are_requests_as_others(url: str) -> None:
    """uvicorn would log their paths and queries, and nothing would limit them."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    response = httpx2.get(f"{url}/health/live", headers=headers, trust_env=False, timeout=10)
    assert response.json() == {"status": "ok"}


def test_waiting_for_the_database_ends(settings: Settings) -> None:
    # {% if cookiecutter.database == "sqlite" %}
    away = "sqlite:////nowhere/at/all.db"
    # {% else %}
    away = "postgresql://nobody:secret@127.0.0.1:1/nothing"
    # {% endif %}
    ended = run(
        "app.backend_pre_start",
        environment(settings, DATABASE_START_SECONDS="0.1", DATABASE_URL=away),
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("The database did not answer in 0.1 s: ")
    assert "secret" not in ended.stderr + ended.stdout
    assert len(ended.stderr.splitlines()) == 1


def test_two_may_prepare_at_once(tmp_path: Path) -> None:
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


def test_reloading_serves_the_code_as_it_has_become(
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


def test_grace_is_never_longer_than_allowed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = settings.model_copy(update={"reload": True, "grace_seconds": 15.5})
    monkeypatch.setattr(serve, "load_settings", lambda: longest)
    monkeypatch.setattr(serve, "configure_logging", lambda _: None)
    given: dict[str, object] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **options: given.update(options))
    serve.main()
    assert given["timeout_graceful_shutdown"] == 15


@pytest.mark.parametrize("factory", ["app.main:nothing", "app.main:ABOUT", "os:getcwd"])
def test_what_is_no_factory_is_one_sentence(settings: Settings, factory: str) -> None:
    with pytest.raises(SystemExit, match="^APP_MODULE: .+$"):
        build(settings.model_copy(update={"app_module": factory}))


def test_request_that_outlasts_the_grace_is_told(settings: Settings) -> None:
    app_module = "tests.kit.server.test_serve:slow_app"
    with process(settings, APP_MODULE=app_module, GRACE_SECONDS="0") as (running, url):
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(get, f"{url}/slow")
            sleep(0.3)
            running.send_signal(signal.SIGTERM)
            assert answer.result(10).status_code == 503
            assert answer.result().json()["detail"] == "the service is shutting down"
        assert running.wait(10) == -signal.SIGTERM


def test_clients_are_asked_to_leave_and_need_not(settings: Settings) -> None:
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


def test_soak_does_not_heed_the_developers_settings(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("app", "migrations", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".env").write_text("MAX_BODY_SECONDS=no\n", encoding="utf-8")
    monkeypatch.setattr(service, "ROOT", tmp_path)
    monkeypatch.setenv("MAX_BODY_BYTES", "no")
    url = settings.database_url.render_as_string(hide_password=False)
    with service.serving(url) as running:
        assert running.is_ready()


async def say_ok(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, or late, or with the body."""
    if scope["path"] == "/late":
        await asyncio.sleep(2 * SECONDS)
    body = await Request(scope, receive).body() if scope["path"] == "/echo" else "ok"
    await PlainTextResponse(body)(scope, receive, send)


@asynccontextmanager
async def connection(
    *, head_within: float = SECONDS
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a server that waits so many seconds for a head."""
    config = uvicorn.Config(say_ok, log_config=None)
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: BoundedProtocol(config, state, {}), "127.0.0.1", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_protocol, "HEADER_SECONDS", head_within)
        async with listening, asyncio.timeout(SECONDS * 20):
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
            yield reader, writer
            writer.close()


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Return what comes before the end, which is a reset where the server has not read all."""
    said = b""
    with suppress(ConnectionResetError):
        while more := await reader.read(1000):
            said += more
    return said


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (HEAD, b""),
        (HEAD, HEADER),
        (REQUEST + HEAD, HEADER),
        (WITH_BODY, b"a"),
    ],
)
async def test_who_drips_is_disconnected(start: bytes, drop: bytes) -> None:
    async def drip() -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(drop)
            await asyncio.sleep(SECONDS / 10)

    async with connection() as (reader, writer):
        dripping = asyncio.create_task(drip())
        assert (await heard(reader)).count(b"200 OK") == (b"\r\n\r\n" in start)
        dripping.cancel()


async def test_head_without_end_is_cut_off() -> None:
    async with connection(head_within=60) as (reader, writer):
        writer.write(HEAD + HEADER * 100_000)
        assert await heard(reader) == b""


@pytest.mark.parametrize(
    "start",
    [LATE_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", REQUEST + LATE_REQUEST + HEAD],
    ids=["trailers", "head behind requests"],
)
async def test_headers_without_end_are_cut_off(start: bytes) -> None:
    async with connection(head_within=60) as (reader, writer):
        writer.write(start + HEADER * 100_000)
        await heard(reader)


@pytest.mark.parametrize("pause", [0, 0.05])
@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: %d\r\n\r\n%b" % (len(REQUEST), REQUEST),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(REQUEST), REQUEST),
    ],
    ids=["length", "chunked"],
)
async def test_body_behind_an_offer_is_no_request(rest: bytes, pause: float) -> None:
    head, _, body = rest.partition(b"\r\n\r\n")
    async with connection(head_within=60) as (reader, writer):
        writer.write(OFFER + head + b"\r\n\r\n")
        await asyncio.sleep(pause)
        writer.write(body + LAST_REQUEST)
        said = await heard(reader)
    assert said.count(b"200 OK") == 2
    assert said.count(REQUEST) == 1


async def test_answer_waits_for_who_sends_all_first() -> None:
    part = b"a" * http_protocol.MAX_HEADER_BYTES
    async with connection(head_within=60) as (reader, writer):
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % (3 * len(part)))
        for _ in range(3):
            await asyncio.sleep(SECONDS / 10)
            writer.write(part)
        writer.write(LAST_REQUEST)
        assert (await heard(reader)).count(b"200 OK") == 2


async def test_request_that_takes_its_time_is_answered() -> None:
    async with connection() as (reader, writer):
        for _ in range(2):
            writer.write(LATE_REQUEST)
            assert b"200 OK" in await reader.readuntil(b"ok")
