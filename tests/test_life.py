"""The generated service as its user starts it: real scripts, real requests, real signals."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from urllib.parse import urlencode

import pytest

from tests.combinations import DEFAULTS
from tests.owner import REVISION
from tests.ports import free_port
from tests.programs import environment
from tests.services import Service

RECIPES = "/api/v1/recipes/"
IDEAS = "/api/v1/recipes/ideas/async"
READY_SECONDS = 30
STOP_SECONDS = 20


@pytest.fixture(
    scope="module",
    params=[DEFAULTS, DEFAULTS.but(database="postgresql", async_db=False)],
    ids=str,
)
def service(request: pytest.FixtureRequest, workplace: Path) -> Service:
    return Service.open(request.param, workplace)


@pytest.fixture
def variables(service: Service) -> dict[str, str]:
    """Name an empty database and a free port."""
    return service.variables | {"DATABASE_URL": service.new_database(), "PORT": str(free_port())}


def test_prepared_twice_it_answers_three_recipes(
    service: Service, variables: dict[str, str]
) -> None:
    for _ in range(2):
        service.run("./prestart.sh", **variables)
    with serving(service, variables) as running:
        response, body = running.get(RECIPES)
        assert response.status == 200
        assert float(response.headers["X-Process-Time"]) > 0
        assert len(json.loads(body)["items"]) == 3
        assert len(json.loads(running.get("/api/v1/users/")[1])["items"]) == 1


def test_asked_to_stop_it_first_answers_the_request_that_runs(
    service: Service, variables: dict[str, str]
) -> None:
    service.run("./prestart.sh", **variables)
    with (
        slow_upstream() as (address, was_asked),
        serving(service, variables | {"IDEAS_BASE_URL": address}) as running,
        ThreadPoolExecutor() as pool,
    ):
        request = pool.submit(running.get, IDEAS)
        assert was_asked.wait(READY_SECONDS)
        running.process.send_signal(signal.SIGTERM)
        assert request.result()[0].status == 200
        assert running.process.wait(STOP_SECONDS) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}


def test_bad_setting_is_refused_in_one_sentence(
    service: Service, variables: dict[str, str]
) -> None:
    refused = subprocess.run(
        ["./run.sh"],
        cwd=service.folder,
        env=environment(**variables, MAX_BODY_BYTES="many"),
        capture_output=True,
        encoding="utf-8",
        timeout=READY_SECONDS,
        check=False,
    )
    assert refused.returncode
    assert refused.stderr == ""
    assert json.loads(refused.stdout)["message"].startswith("MAX_BODY_BYTES: ")


def test_preparing_ends_with_the_step_that_fails(
    service: Service, variables: dict[str, str]
) -> None:
    away = {
        "sqlite": "sqlite:////nowhere/at/all.db",
        "postgresql": "postgresql://nobody@127.0.0.1:1/nothing",
    }
    url = away[str(service.combination["database"])]
    failed = subprocess.run(
        ["./prestart.sh"],
        cwd=service.folder,
        env=environment(**variables | {"DATABASE_URL": url}, DATABASE_START_SECONDS="0.1"),
        capture_output=True,
        encoding="utf-8",
        timeout=READY_SECONDS,
        check=False,
    )
    assert failed.returncode
    assert failed.stderr == ""
    last = json.loads(failed.stdout.splitlines()[-1])
    assert last["message"].startswith("The database did not answer")


def test_migrations_go_up_down_and_up(service: Service, variables: dict[str, str]) -> None:
    for command in ("upgrade heads", "check", "downgrade base", "upgrade heads", "check"):
        service.run("python", "-m", "alembic", *command.split(), **variables)


@pytest.mark.parametrize("service", [DEFAULTS.but(auth=True)], indirect=True, ids=str)
def test_newcomer_logs_in_with_what_setup_wrote(
    service: Service, variables: dict[str, str]
) -> None:
    service.run("make", "setup", UV_PROJECT_ENVIRONMENT=str(service.programs.parent))
    service.run("./prestart.sh", **variables)
    written = (service.folder / ".env").read_text("utf-8").splitlines()
    secrets = dict(line.split("=", 1) for line in written)
    form = {"username": "admin@example.com", "password": secrets["FIRST_SUPERUSER_PASSWORD"]}
    with serving(service, variables) as running:
        assert running.post("/api/v1/auth/login", form).status == 200
        assert running.get("/api/v1/users/")[0].status == 401


@pytest.mark.parametrize("service", [DEFAULTS.but(auth=True)], indirect=True, ids=str)
def test_own_tables_outlive_the_feature_they_stood_on(
    service: Service, variables: dict[str, str]
) -> None:
    """By the steps of ``docs/upgrading.md``; without them they go with it."""
    revision = service.folder / "migrations/versions/ab12_label_index.py"
    revision.write_text(REVISION.replace('"0001"', '"auth_0001"'), "utf-8")
    service.run("alembic", "upgrade", "heads", **variables)
    revision.write_text(REVISION, "utf-8")
    service.run("alembic", "stamp", "heads", **variables)
    service.run("alembic", "downgrade", "auth@0001", **variables)
    with closing(sqlite3.connect(variables["DATABASE_URL"].removeprefix("sqlite:///"))) as file:
        names = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    assert "ix_recipe_label" in names
    assert "login" not in names


def test_makefile_serves_its_developers(service: Service) -> None:
    home = str(service.programs.parent)
    for target in ("setup", "lint", "fan-out-demo"):
        service.run("make", target, UV_PROJECT_ENVIRONMENT=home)


def test_changed_model_becomes_a_migration(service: Service, variables: dict[str, str]) -> None:
    """SQLite alters a table by copying it, which must go on to give no id twice."""
    service.run("./prestart.sh", **variables)
    model = service.folder / "app/models/user.py"
    model.write_text(model.read_text("utf-8").replace("String(255)", "String(300)"), "utf-8")
    variables |= {"UV_PROJECT_ENVIRONMENT": str(service.programs.parent), "UV_FROZEN": "1"}
    service.run("make", "migration", "m=longer names", **variables)
    service.run("make", "migrate", **variables)
    service.run("alembic", "check", **variables)
    if service.combination["database"] == "sqlite":
        with closing(sqlite3.connect(variables["DATABASE_URL"].removeprefix("sqlite:///"))) as file:
            (table,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'user'").fetchone()
        assert "VARCHAR(300)" in table
        assert "AUTOINCREMENT" in table


class Running:
    """A process that serves on this machine."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self._port = port

    def get(self, path: str) -> tuple[HTTPResponse, bytes]:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=READY_SECONDS)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response, response.read()

    def post(self, path: str, form: dict[str, str]) -> HTTPResponse:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=READY_SECONDS)) as connection:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(form), headers)
            return connection.getresponse()

    def wait_until_ready(self) -> None:
        give_up_at = monotonic() + READY_SECONDS
        while self.process.poll() is None and monotonic() < give_up_at:
            with suppress(OSError):
                if self.get("/health/ready")[0].status == 200:
                    return
            sleep(0.05)
        pytest.fail("the service did not become ready")


@contextmanager
def serving(service: Service, variables: dict[str, str]) -> Generator[Running]:
    """Start ``run.sh`` and lend the process once it is ready."""
    process = subprocess.Popen(["./run.sh"], cwd=service.folder, env=environment(**variables))
    try:
        running = Running(process, int(variables["PORT"]))
        running.wait_until_ready()
        yield running
    finally:
        process.kill()
        process.wait()


@contextmanager
def slow_upstream() -> Generator[tuple[str, Event]]:
    """Stand in for Reddit: tell when it is asked, and answer half a second later."""
    was_asked = Event()

    class Upstream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            was_asked.set()
            sleep(0.5)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"data": {"children": []}}')

    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", was_asked
        server.shutdown()
