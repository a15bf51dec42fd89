"""A Docker daemon of this session's own, and the programs that speak to it."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from filelock import FileLock

from tests.programs import environment
from tests.trees import BUILD

# Images and caches of earlier sessions; `make clean` removes them.
DATA = BUILD / "docker"
START_SECONDS = 30
STOP_SECONDS = 30
NEEDED = ("dockerd", "docker-compose", "mmdebstrap")
# Where the tests must not be skipped; .ci/run sets it.
REQUIRED = "DEPLOYMENT_REQUIRED"
# Names a socket of a daemon that runs already, to save its start.
SOCKET = "DEPLOYMENT_SOCKET"
# All services name their image alike: held from the build of one to its last use under this name.
IMAGE_NAME = FileLock(BUILD / "image-name.lock")


def missing() -> str:
    """Return why there is no engine here, or nothing."""
    path = docker_path()
    if absent := [name for name in NEEDED if shutil.which(name, path=path) is None]:
        return f"{', '.join(absent)}: not installed (apt-get install docker.io docker-compose mmdebstrap)"
    return "" if os.geteuid() == 0 else "the engine runs as root only"


def docker_path() -> str:
    """Return the path with Debian's programs first, and those of administrators.

    BuildKit is part of its daemon; newer clients elsewhere on the path want a plug-in.
    """
    return os.pathsep.join(["/usr/bin", os.environ["PATH"], "/usr/sbin", "/sbin"])


class Engine:
    """A running daemon, spoken to through its socket."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    @cached_property
    def variables(self) -> dict[str, str]:
        """The environment of programs that speak to this engine."""
        return environment(
            PATH=docker_path(),
            DOCKER_HOST=f"unix://{self.socket}",
            DOCKER_BUILDKIT="1",
            COMPOSE_DOCKER_CLI_BUILD="1",
            BUILDKIT_PROGRESS="plain",
        )

    def run(self, *command: str | Path, cwd: Path | None = None, **more: str) -> str:
        """Run a program and return what it printed; fail the test with that if it fails."""
        done = self.attempt(*command, cwd=cwd, **more)
        if done.returncode:
            words = " ".join(str(word) for word in command)
            pytest.fail(f"{words}: exit code {done.returncode}\n{done.stdout}", pytrace=False)
        return done.stdout

    def attempt(
        self, *command: str | Path, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that may fail."""
        return subprocess.run(
            command,
            cwd=cwd,
            env=self.variables | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def docker(self, *arguments: str | Path) -> str:
        """Run a command of docker; return what it printed, without the last line break."""
        return self.run("docker", *arguments).rstrip("\n")

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a container, an image or a network."""
        (found,) = json.loads(self.docker("inspect", name))
        return found

    def size_mb(self, image: str) -> float:
        """Return the size of all layers of an image, in millions of bytes."""
        return self.inspect(image)["Size"] / 1e6

    def has_image(self, name: str) -> bool:
        """Tell whether an image was built, now or by an earlier session."""
        return self.docker("images", "--quiet", name) != ""


@contextmanager
def running_engine() -> Generator[Engine]:
    """Yield an engine; start one unless the environment names a socket."""
    if SOCKET in os.environ:
        yield Engine(Path(os.environ[SOCKET]))
        return
    DATA.mkdir(parents=True, exist_ok=True)
    # The path of a socket is at most 107 bytes long, so it is not below the repository.
    with TemporaryDirectory(prefix="dockerd-") as folder, (DATA / "dockerd.log").open("wb") as log:
        engine = Engine(Path(folder, "docker.sock"))
        daemon = subprocess.Popen(
            [
                *("dockerd", "--host", f"unix://{engine.socket}", "--data-root", DATA / "data"),
                *("--exec-root", Path(folder, "exec"), "--pidfile", Path(folder, "pid")),
            ],
            env=environment(PATH=docker_path()),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(engine, daemon)
            yield engine
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(STOP_SECONDS)
            # dockerd leaves the network namespace of its host mounted: the folder could not be removed.
            left = Path(folder, "exec", "netns", "default")
            subprocess.run(["umount", "--lazy", left], check=False, capture_output=True)


def _wait(engine: Engine, daemon: subprocess.Popen[bytes]) -> None:
    """Return when the daemon answers; fail the test with its log if it does not."""
    give_up_at = time.monotonic() + START_SECONDS
    while engine.attempt("docker", "info").returncode:
        if daemon.poll() is not None or time.monotonic() > give_up_at:
            log = (DATA / "dockerd.log").read_text("utf-8", errors="replace")
            pytest.fail(f"dockerd does not start:\n{log[-2000:]}", pytrace=False)
        time.sleep(0.1)
