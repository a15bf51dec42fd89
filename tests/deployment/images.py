"""The images of services, and containers of them as a platform runs them."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import httpx2

from tests.combinations import DEFAULTS, Combination
from tests.deployment.engine import IMAGE_NAME, Engine
from tests.deployment.standins import PYTHON, SERVERS, UV
from tests.environments import uv_lock
from tests.resilience.service import SETTINGS, UNUSED, Service
from tests.trees import tree

# By their names in the table.
NAMED = {
    "default": DEFAULTS,
    "full": DEFAULTS.but(
        database="postgresql",
        auth=True,
        rate_limit=True,
        job_queue="procrastinate",
        telemetry=True,
        ci="gitlab",
    ),
    "threads": DEFAULTS.but(
        package_manager="poetry",
        database="postgresql",
        async_db=False,
        fan_out=False,
        timing_middleware=False,
        job_queue="in_process",
        deployment="kubernetes",
        ci="none",
    ),
}
# Together they have every answer (test_images.py).
SERVICES = list(NAMED.values())
# What compose.yaml and the manifests of Kubernetes allow a container.
RESTRICTED = (
    *("--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - of the container
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "256m"),
)
BUILD_OPTIONS = f"--network host --build-arg PYTHON_IMAGE={PYTHON} --build-arg UV_IMAGE={UV}"
PORT = 8001
START_SECONDS = 30
PASSWORD = uuid4().hex


@dataclass(frozen=True)
class Image:
    """A built image, and the folder that it was built from."""

    engine: Engine
    combination: Combination
    folder: Path
    label: str
    name: str

    @classmethod
    def build(cls, engine: Engine, label: str, folder: Path) -> "Image":
        """Generate one of ``NAMED`` with its lock and build its image, as its owner does."""
        combination = NAMED[label]
        shutil.copytree(tree(combination), folder)
        if combination["package_manager"] == "uv":
            shutil.copy(uv_lock(folder), folder / "uv.lock")
        image = cls(engine, combination, folder, label, f"recipe-api:{label}-{uuid4().hex[:8]}")
        image.rebuild()
        return image

    def rebuild(self) -> float:
        """Build the image again, and give it its own name; return the seconds of the build."""
        options = BUILD_OPTIONS
        if self.combination["package_manager"] == "poetry":
            options = options.partition(" --build-arg UV_IMAGE")[0]
        with IMAGE_NAME:
            began = monotonic()
            self.engine.run("make", "image", f"BUILD_OPTIONS={options}", cwd=self.folder)
            seconds = monotonic() - began
            self.engine.docker("tag", "recipe-api:latest", self.name)
        return seconds

    def layers(self) -> list[str]:
        """Return the digests of the layers, the base's first."""
        return self.engine.inspect(self.name)["RootFS"]["Layers"]

    def files(self) -> set[str]:
        """Return the paths of all files in the image."""
        container = self.engine.docker("create", self.name, "true")
        script = f"docker export {container} | tar --list"
        try:
            return set(self.engine.run("bash", "-o", "pipefail", "-c", script).splitlines())
        finally:
            self.engine.docker("rm", container)

    def run_once(self, *command: str, **variables: str) -> tuple[int, list[str]]:
        """Run a command in a container; return its exit code and the lines that it printed."""
        options = [
            word for name, value in variables.items() for word in ("--env", f"{name}={value}")
        ]
        done = self.engine.attempt(
            *("docker", "run", "--rm", *RESTRICTED, *options), self.name, *command
        )
        return done.returncode, done.stdout.splitlines()


@dataclass(frozen=True)
class Backend:
    """A network with what the service of an image needs, and the variables that name it."""

    network: str
    volume: str
    variables: dict[str, str]

    @property
    def options(self) -> list[str]:
        """Return the options of `docker run`."""
        given = SETTINGS | self.variables
        environment = [
            word for name, value in given.items() for word in ("--env", f"{name}={value}")
        ]
        return ["--network", self.network, "--volume", f"{self.volume}:/data", *environment]


@contextmanager
def backend(image: Image) -> Generator[Backend]:
    """Run the database of a service in a new network, and migrate it."""
    engine, name = image.engine, f"backend-{uuid4().hex[:8]}"
    engine.docker("network", "create", name)
    engine.docker("volume", "create", name)
    variables: dict[str, str] = {}
    try:
        if image.combination["database"] == "postgresql":
            _start_postgresql(engine, name)
            variables["DATABASE_URL"] = f"postgresql://app:{PASSWORD}@{name}/app"
        found = Backend(name, name, variables)
        engine.docker("run", "--rm", *RESTRICTED, *found.options, image.name, "./prestart.sh")
        yield found
    finally:
        engine.attempt("docker", "rm", "--force", "--volumes", name)
        engine.docker("network", "rm", name)
        engine.docker("volume", "rm", name)


def _start_postgresql(engine: Engine, name: str) -> None:
    engine.docker(
        *("run", "--detach", "--name", name, "--network", name, "--user", "postgres"),
        *("--env", "POSTGRES_DB=app", "--env", "POSTGRES_USER=app"),
        *("--env", "POSTGRES_PASSWORD_FILE=/tmp/password", "--entrypoint", "sh", SERVERS),
        *("-c", f"echo {PASSWORD} > /tmp/password; exec entrypoint.sh postgres"),
    )


class Container(Service):
    """A running container of an image, asked at its address in its network."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.headers: dict[str, str] = {}
        (network,) = engine.inspect(name)["NetworkSettings"]["Networks"].values()
        self.url = f"http://{network['IPAddress']}:{PORT}"

    def client(self) -> httpx2.Client:
        """Open a client that keeps one connection."""
        return httpx2.Client(
            base_url=self.url,
            headers=self.headers,
            timeout=40,
            trust_env=False,
            verify=UNUSED,
        )

    def wait_until_alive(self) -> float:
        """Return the seconds from its start until the liveness probe succeeds."""
        began = monotonic()
        with self.client() as client:
            while monotonic() - began < START_SECONDS:
                try:
                    if client.get("/health/live").is_success:
                        return monotonic() - began
                except httpx2.TransportError:
                    sleep(0.01)
        raise RuntimeError(f"{self.name} does not live:\n{self.logs()}")

    def wait_until_ready(self) -> None:
        """Wait until the readiness probe succeeds; raise ``RuntimeError`` if it does not."""
        began = monotonic()
        while not self.is_ready():
            if monotonic() - began > START_SECONDS:
                raise RuntimeError(f"{self.name} is not ready:\n{self.logs()}")
            sleep(0.05)

    def execute(self, *command: str) -> str:
        """Run a command in the container; return what it printed."""
        return self.engine.docker("exec", self.name, *command)

    def logs(self) -> str:
        """Return what the container printed."""
        return self.engine.docker("logs", self.name)

    def health(self) -> str:
        """Return what ``HEALTHCHECK`` found: starting, healthy or unhealthy."""
        return self.engine.inspect(self.name)["State"]["Health"]["Status"]

    def exit_code(self) -> int:
        """Return the exit code of a container that ended."""
        return self.engine.inspect(self.name)["State"]["ExitCode"]

    def stop(self) -> float:
        """Stop the container as a platform does; return the seconds until it ended."""
        began = monotonic()
        self.engine.docker("stop", "--time", "30", self.name)
        return monotonic() - began


@contextmanager
def container(image: Image, found: Backend, *options: str) -> Generator[Container]:
    """Start a container of the service; remove it in the end."""
    name = f"service-{uuid4().hex[:8]}"
    command = ("run", "--detach", "--name", name, *RESTRICTED, *found.options, *options)
    image.engine.docker(*command, image.name)
    try:
        yield Container(image.engine, name)
    finally:
        image.engine.docker("rm", "--force", "--volumes", name)
