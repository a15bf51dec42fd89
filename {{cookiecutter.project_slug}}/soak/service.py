"""The service as a process, as its users meet it, what it promises, and clients that behave."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
# {% if cookiecutter.auth %}
from secrets import token_hex
# {% endif %}
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic, sleep
from typing import NamedTuple
from uuid import uuid4

import httpx2

from app.core import config

ROOT = Path(__file__).parents[1]
START_SECONDS = 30
ANSWER_SECONDS = 40
PAUSE_SECONDS = 0.01
# Nothing here is encrypted, and each client would take 20 ms to read the machine's certificates.
UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
USERS = "/api/v1/users/"
# {% if cookiecutter.auth %}
LOGIN = "/api/v1/auth/login"
SUPERUSER = "admin@example.com"
PASSWORD = token_hex()
NEW_USER = {"name": "Soak", "password": PASSWORD}
# {% else %}
NEW_USER = {"name": "Soak"}
# {% endif %}
# What is set differently from the defaults, and why.
VARIABLES = {
    "DRAIN_SECONDS": "2",
    "LOG_LEVEL": "ERROR",
    # {% if cookiecutter.auth %}
    "FIRST_SUPERUSER": SUPERUSER,
    "FIRST_SUPERUSER_PASSWORD": PASSWORD,
    # {% endif %}
    # {% if cookiecutter.rate_limit %}
    # Out of reach, except where the limit is attacked.
    "RATE_LIMIT_REQUESTS": "1000000",
    # {% if cookiecutter.auth %}
    "RATE_LIMIT_LOGIN_REQUESTS": "1000000",
    # {% endif %}
    # {% endif %}
    # {% if cookiecutter.database == "postgresql" %}
    "DATABASE_STATEMENT_SECONDS": "4",  # less than the database is frozen for
    # {% endif %}
    # {% if cookiecutter.fan_out %}
    # Nothing leaves this machine.  # example
    "IDEAS_BASE_URL": "http://127.0.0.1:1",  # example
    "WEATHER_BASE_URL": "http://127.0.0.1:1",  # example
    "NEWS_BASE_URL": "http://127.0.0.1:1",  # example
    # {% endif %}
}


class Promise(NamedTuple):
    """A figure that must not exceed its limit; the unit stands in the text."""

    text: str
    figure: float
    limit: float

    @property
    def is_kept(self) -> bool:
        """Tell whether the service did as it promises."""
        return self.figure <= self.limit


class Service:
    """A process that serves on this machine."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        # What entitles to read and create users.
        self.headers: dict[str, str] = {}

    def client(self) -> httpx2.Client:
        """Open a client that keeps one connection, past any proxy of the developer's."""
        return httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=self.headers,
            timeout=ANSWER_SECONDS,
            trust_env=False,
            verify=UNUSED,
        )

    def connect(self, first: bytes = b"") -> socket.socket:
        """Open a bare connection and send the first bytes."""
        connection = socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS)
        connection.sendall(first)
        return connection

    def is_ready(self) -> bool:
        """Ask as an orchestrator does, over a connection of its own."""
        try:
            with self.client() as client:
                return client.get("/health/ready").is_success
        except httpx2.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """Give it time to start, or end this program."""
        give_up_at = monotonic() + START_SECONDS
        while not self.is_ready():
            if monotonic() > give_up_at or self.process.poll() is not None:
                raise SystemExit("the service did not get ready")
            sleep(0.05)

    # {% if cookiecutter.auth %}
    def log_in(self) -> None:
        """Become superuser; the login outlasts the attacks."""
        form = {"username": SUPERUSER, "password": PASSWORD}
        with self.client() as client:
            tokens = client.post(LOGIN, data=form).raise_for_status().json()
        self.headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    # {% endif %}
    def memory_mb(self) -> float:
        """Return how much memory the process occupies."""
        command = ["ps", "-o", "rss=", "-p", str(self.process.pid)]
        return int(subprocess.check_output(command)) / 1024

    def stop(self) -> float:
        """Ask it to stop; return how many seconds it took, or infinity after a minute."""
        asked_at = monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            return float("inf")
        return monotonic() - asked_at


@contextmanager
def serving(database_url: str, **more: str) -> Generator[Service]:
    """Prepare the database, start the service, with more variables, and lend it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {"DATABASE_URL": database_url, "PORT": str(port), "PYTHONPATH": str(ROOT)}
    variables = _environment() | VARIABLES | own | more
    alembic = ["alembic", "-c", str(ROOT / "pyproject.toml"), "upgrade", "heads"]
    with TemporaryDirectory() as folder:  # where no .env is
        for module in (alembic, ["app.initial_data"]):
            subprocess.run([sys.executable, "-m", *module], cwd=folder, env=variables, check=True)
        process = subprocess.Popen([sys.executable, "-m", "app.serve"], cwd=folder, env=variables)
        try:
            service = Service(process, port)
            service.wait_until_ready()
            # {% if cookiecutter.auth %}
            service.log_in()
            # {% endif %}
            yield service
        finally:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Return the developer's variables without settings of the service."""
    settings = config.Settings.model_fields
    return {name: value for name, value in os.environ.items() if name.lower() not in settings}


class Answer(NamedTuple):
    """What came of a request: a status, or 0 if there was no answer; ``address`` if it stores one."""

    asked_at: float
    seconds: float
    status: int
    address: str | None


class Load:
    """Clients that ask one after another, each on a connection that it keeps, and their answers."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.is_over = Event()

    def send(self, service: Service, *, writes: bool) -> None:
        """Go on until the load is over, or until the service asks to leave."""
        with service.client() as client:
            while not self.is_over.wait(PAUSE_SECONDS):
                answer, is_asked_to_leave = _ask(client, f"{uuid4().hex}@example.com" * writes)
                self.answers.append(answer)
                if is_asked_to_leave:
                    return


@contextmanager
def load(service: Service, *, readers: int = 8, writers: int = 2) -> Generator[Load]:
    """Let clients that behave ask for as long as the block runs."""
    current = Load()
    with ThreadPoolExecutor(readers + writers) as threads:
        sending = [
            threads.submit(current.send, service, writes=number < writers)
            for number in range(readers + writers)
        ]
        try:
            yield current
        finally:
            current.is_over.set()
    for client in sending:
        client.result()


def _ask(client: httpx2.Client, address: str) -> tuple[Answer, bool]:
    """Create the user with this address, or list some."""
    asked_at = monotonic()
    try:
        if address:
            response = client.post(USERS, json=NEW_USER | {"email": address})
        else:
            response = client.get(USERS)
    except httpx2.TransportError:
        return Answer(asked_at, monotonic() - asked_at, 0, None), False
    stored = address if response.status_code == 201 else None
    is_asked_to_leave = response.headers.get("connection") == "close"
    return Answer(asked_at, monotonic() - asked_at, response.status_code, stored), is_asked_to_leave


def count_bad(answers: Sequence[Answer], *good: int) -> int:
    """Count the answers with another status than these, and the requests without an answer."""
    return sum(answer.status not in good for answer in answers)
