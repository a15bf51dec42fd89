"""Prometheus, from this machine or from Docker Compose, with the files in ``observability/``."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

FOLDER = Path(__file__).parents[2] / "observability"
PORTS = range(9090, 9100)  # Debian's package starts one on the first
STOP_SECONDS = 30
COMPOSE = (["docker", "compose"], ["docker-compose"])
PROJECT = "{{ cookiecutter.project_slug }}-observability"


@contextmanager
def prometheus() -> Generator[tuple[subprocess.Popen[bytes], str]]:
    """Run Prometheus, and yield its process and address; exit with a sentence if that fails.

    At the end, its data and its container are deleted.
    """
    port = free_port()
    if shutil.which("prometheus"):
        with (
            TemporaryDirectory(prefix="prometheus-") as data,
            running(installed(port, data)) as process,
        ):
            yield wait_until_ready(process, port)
        return
    compose = composed()
    try:
        with running([*compose, "up"], PROMETHEUS_PORT=str(port)) as process:
            yield wait_until_ready(process, port)
    finally:
        subprocess.run([*compose, "down", "--volumes"], check=False)


def free_port() -> int:
    """Return the first port for the page that is free; exit with a sentence if there is none."""
    for port in PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    sys.exit(f"The ports {PORTS[0]} to {PORTS[-1]} are in use: stop a Prometheus.")


def installed(port: int, data: str) -> list[str]:
    """Return the command for the Prometheus of this machine."""
    return [
        "prometheus",
        f"--config.file={FOLDER / 'prometheus.yaml'}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]


def composed() -> list[str]:
    """Return the command of Docker Compose; exit with a sentence if there is none."""
    for program in COMPOSE:
        if shutil.which(program[0]):
            version = subprocess.run([*program, "version"], capture_output=True, check=False)
            if version.returncode == 0:
                file = str(FOLDER / "docker.yaml")
                return [*program, "--project-name", PROJECT, "--file", file]
    sys.exit("Install Prometheus (such as `apt install prometheus`), or Docker with Compose.")


@contextmanager
def running(command: list[str], **variables: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a program, which ends before this does; Ctrl-C in the terminal does not reach it."""
    env = os.environ | variables
    with subprocess.Popen(command, env=env, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()


def wait_until_ready(
    process: subprocess.Popen[bytes], port: int
) -> tuple[subprocess.Popen[bytes], str]:
    """Return the process and its address as soon as it answers; exit if it ends before."""
    url = f"http://localhost:{port}"
    while process.poll() is None:
        with suppress(URLError, OSError):
            build_opener(ProxyHandler({})).open(f"{url}/-/ready", timeout=5)
            return process, url
        sleep(0.1)
    sys.exit("Prometheus did not start: see its lines above.")
