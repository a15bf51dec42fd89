"""The service as a process, started as its users start it."""

import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile, TemporaryDirectory
from time import monotonic, sleep
from typing import BinaryIO

import httpx2

from tests.ports import free_port
from tests.resilience.document import ADDRESS, LOGIN, Document

START_SECONDS = 30
ANSWER_SECONDS = 40
STOP_SECONDS = 60
# Nothing here is encrypted, and each client would take 20 ms to read the machine's certificates.
UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
SUPERUSER = "admin@example.com"
PASSWORD = token_hex()
OWN_SETTINGS = ".env"
# Settings that differ from the defaults; a service ignores those of features that it lacks.
SETTINGS = {
    "DRAIN_SECONDS": "2",
    "LOG_LEVEL": "ERROR",
    "FIRST_SUPERUSER": SUPERUSER,
    "FIRST_SUPERUSER_PASSWORD": PASSWORD,
    # Less than the checks freeze the database for.
    "DATABASE_STATEMENT_SECONDS": "4",
    # Out of reach, except where a check is about the limit.
    "RATE_LIMIT_REQUESTS": "1000000",
    "RATE_LIMIT_LOGIN_REQUESTS": "1000000",
    # No request leaves this machine.
    "IDEAS_BASE_URL": "http://127.0.0.1:1",
    "WEATHER_BASE_URL": "http://127.0.0.1:1",
    "NEWS_BASE_URL": "http://127.0.0.1:1",
}


@dataclass(frozen=True)
class StartCommand:
    """How to start a service: the folder with ``run.sh``, and the environment that it runs in."""

    folder: Path
    environment: Mapping[str, str]


class Service:
    """A running service."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: BinaryIO) -> None:
        self.process = process
        self.port = port
        self._log = log
        # Permit to read and create users.
        self.headers: dict[str, str] = {}
        self.document = Document({})

    def client(self) -> httpx2.Client:
        """Open a client that keeps one connection and ignores the developer's proxies."""
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
        """Ask the readiness probe, as an orchestrator does: on a new connection."""
        try:
            with self.client() as client:
                return client.get("/health/ready").is_success
        except httpx2.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until the service has started; raise ``RuntimeError`` if it does not."""
        give_up_at = monotonic() + START_SECONDS
        while not self.is_ready():
            if monotonic() > give_up_at or self.process.poll() is not None:
                raise RuntimeError("the service did not become ready")
            sleep(0.05)

    def introduce(self) -> None:
        """Read the OpenAPI document and log in as superuser, if the service has logins."""
        with self.client() as client:
            self.document = Document(client.get(ADDRESS).raise_for_status().json()["paths"])
            if self.document.has_login:
                form = {"username": SUPERUSER, "password": PASSWORD}
                tokens = client.post(LOGIN, data=form).raise_for_status().json()
                self.headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    def memory_mb(self) -> float:
        """Return the memory that the process occupies."""
        command = ["ps", "-o", "rss=", "-p", str(self.process.pid)]
        return int(subprocess.check_output(command)) / 1024

    def new_errors(self) -> list[str]:
        """Return and show what was logged since the last call: errors, by ``SETTINGS``."""
        lines = self._log.read().decode(errors="replace").splitlines(keepends=True)
        sys.stdout.writelines(lines)
        return lines

    def stop(self) -> float:
        """Send SIGTERM; return the seconds until the process ended, or infinity."""
        asked_at = monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return float("inf")
        return monotonic() - asked_at


@contextmanager
def running(command: StartCommand, database_url: str, **settings: str) -> Generator[Service]:
    """Run ``prestart.sh`` and ``run.sh``; yield the service once it is ready."""
    port = free_port()
    own = {"DATABASE_URL": database_url, "PORT": str(port)}
    environment = {**command.environment, **SETTINGS, **own, **settings}
    with (
        _without_own_settings(command.folder) as folder,
        NamedTemporaryFile(prefix="resilience-") as written,
        Path(written.name).open("rb") as log,
    ):
        subprocess.run(["./prestart.sh"], cwd=folder, env=environment, check=True)
        process = subprocess.Popen(
            ["./run.sh"], cwd=folder, env=environment, stdout=written, stderr=subprocess.STDOUT
        )
        service = Service(process, port, log)
        try:
            service.wait_until_ready()
            service.introduce()
            yield service
        finally:
            process.kill()
            process.wait()
            service.new_errors()


@contextmanager
def _without_own_settings(folder: Path) -> Generator[Path]:
    """Yield a folder of links to all files of the service but ``.env``."""
    with TemporaryDirectory(prefix="resilience-") as links:
        for path in folder.resolve().iterdir():
            if path.name != OWN_SETTINGS:
                Path(links, path.name).symlink_to(path)
        yield Path(links)
