"""A service that Compose runs, with its database, its workers and its secrets."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from time import monotonic, sleep

import httpx2
import yaml

from tests.combinations import Combination
from tests.deployment.engine import Engine
from tests.deployment.standins import PYTHON, SERVERS, UV
from tests.environments import uv_lock
from tests.ports import free_port
from tests.resilience.document import LOGIN, Document
from tests.resilience.service import SUPERUSER, UNUSED, Service
from tests.trees import tree

COMPOSE = "docker-compose"
HEALTHY_SECONDS = 60
# Out of reach: the tests send more requests than a client may.
SETTINGS = {
    "DRAIN_SECONDS": "2",
    "RATE_LIMIT_REQUESTS": "1000000",
    "RATE_LIMIT_LOGIN_REQUESTS": "1000000",
}
TABLE = "the rows of table "
ROWS_OF_SQLITE = """
import json, sqlite3
database = sqlite3.connect("/data/app.db")
names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
print(json.dumps({name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"'))) for name in names}))
"""


@dataclass
class Project(Service):
    """The containers of one service; several projects may share the folder."""

    engine: Engine
    combination: Combination
    folder: Path
    name: str
    port: int = field(default_factory=free_port)
    headers: dict[str, str] = field(default_factory=dict)
    document: Document = field(default_factory=lambda: Document({}))
    files: list[str] = field(default_factory=lambda: ["compose.yaml", "compose.override.yaml"])

    @classmethod
    def generate(
        cls, engine: Engine, combination: Combination, folder: Path, name: str
    ) -> "Project":
        """Generate a service that is built on the stand-ins; all else is as its owner has it."""
        shutil.copytree(tree(combination), folder)
        if combination["database"] == "postgresql":  # the other has no lock, as a new service
            shutil.copy(uv_lock(folder), folder / "uv.lock")
        base = {"PYTHON_IMAGE": PYTHON, "UV_IMAGE": UV}
        build = {"context": ".", "network": "host", "args": base}
        declared = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))["services"]
        changed = {
            service: {"build": build} | ({} if service == "secrets" else {"environment": SETTINGS})
            for service, content in declared.items()
            if "build" in content
        }
        override = yaml.safe_dump({"services": changed})
        (folder / "compose.override.yaml").write_text(override, "utf-8")
        return cls(engine, combination, folder, name)

    @property
    def variables(self) -> dict[str, str]:
        """What commands of this project find in the environment."""
        return {
            "COMPOSE_FILE": ":".join(self.files),
            "COMPOSE_PROJECT_NAME": self.name,
            "PORT": str(self.port),
            "POSTGRES_IMAGE": SERVERS,
            "REDIS_IMAGE": SERVERS,
            # Of the image; other tests build the services of other folders.
            "VERSION": hashlib.sha256(bytes(self.folder)).hexdigest()[:12],
        }

    def add_file(self, name: str, content: object) -> None:
        """Let a file change what the others declare, for this project."""
        (self.folder / name).write_text(yaml.safe_dump(content), "utf-8")
        self.files.append(name)

    def make(self, *words: str) -> str:
        """Run `make` in the folder, with the Compose that is installed here."""
        command = ("make", "--silent", f"COMPOSE={COMPOSE}", *words)
        return self.engine.run(*command, cwd=self.folder, **self.variables)

    def compose(self, *words: str) -> str:
        """Run a command of Compose."""
        return self.engine.run(COMPOSE, *words, cwd=self.folder, **self.variables)

    def attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        return self.engine.attempt(*words, cwd=self.folder, **self.variables)

    def execute(self, service: str, *command: str) -> str:
        """Run a command in a running container; return what it printed."""
        return self.engine.docker("exec", self.container(service), *command)

    def container(self, service: str) -> str:
        """Return the id of the container of a service, also of one that has ended."""
        filters = [
            f"label=com.docker.compose.{key}"
            for key in (f"project={self.name}", f"service={service}")
        ]
        options = [word for one in filters for word in ("--filter", one)]
        return self.engine.docker("ps", "--all", "--quiet", *options)

    def wait_until_healthy(self) -> None:
        """Do what `--wait` of newer versions does; raise ``RuntimeError`` if it takes too long."""
        began = monotonic()
        while self._health() != "healthy":
            if monotonic() - began > HEALTHY_SECONDS:
                raise RuntimeError(self.compose("logs", "--no-color", "--tail", "20"))
            sleep(0.1)

    def _health(self) -> str:
        found = self.container("service")
        return self.engine.inspect(found)["State"]["Health"]["Status"] if found else ""

    def client(self) -> httpx2.Client:
        """Open a client of the published port."""
        return httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=self.headers,
            timeout=40,
            trust_env=False,
            verify=UNUSED,
        )

    def introduce(self) -> None:
        """Read the OpenAPI document; log in with the password that the first start wrote."""
        with self.client() as client:
            paths = client.get("/api/v1/openapi.json").raise_for_status().json()["paths"]
            self.document = Document(paths)
            if self.document.has_login:
                file = "/run/secrets/first_superuser_password"
                form = {
                    "username": SUPERUSER,
                    "password": self.execute("service", "cat", file).strip(),
                }
                tokens = client.post(LOGIN, data=form).raise_for_status().json()
                self.headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    def rows(self) -> dict[str, list[str]]:
        """Return all rows of all tables, as text."""
        if self.combination["database"] == "postgresql":
            query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            tables = self._psql(query).split()
            commands = [(rf"\echo {TABLE}{it}", f'TABLE "{it}" ORDER BY 1') for it in tables]
            printed = self._psql(*chain.from_iterable(commands)).split(TABLE)[1:]
            return {name: rows for name, *rows in map(str.splitlines, printed)}
        return json.loads(self.execute("service", "python", "-c", ROWS_OF_SQLITE))

    def _psql(self, *commands: str) -> str:
        options = [word for command in commands for word in ("--command", command)]
        command = ("psql", "--username", "app", "--tuples-only", "--no-align", *options, "app")
        return self.execute("db", *command)

    def remove(self) -> None:
        """Remove the containers, the networks and the volumes."""
        self.attempt(COMPOSE, "down", "--volumes", "--timeout", "0")
