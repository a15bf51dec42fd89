"""The service as a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from time import monotonic, sleep

import httpx2

from app.core.config import Settings
from tests.support import ROOT

PYTHON = [sys.executable, "-m"]


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """Return the variables of a process that uses the tests' database."""
    url = settings.database_url.render_as_string(hide_password=False)
    return os.environ | {"DATABASE_URL": url, "PYTHONPATH": str(ROOT)} | more


def run(module: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = [*PYTHON, module]
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, check=False, timeout=60
    )


def free_port() -> int:
    """Return a port on which nothing listens; no other process gets it before this one ends.

    Linux does not choose a bound port again, but a process that names the port can listen on it.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    port: int = kept.getsockname()[1]
    if sys.platform == "linux":
        kept.detach()  # stays open
    else:
        kept.close()
    return port


@contextmanager
def process(
    settings: Settings, log: Path | None = None, /, **more: str
) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the service on a free port; yield the process and its address. ``log`` is for its lines."""
    port = free_port()
    variables = environment(settings, PORT=str(port), **more)
    command = [*PYTHON, "app.serve"]
    with nullcontext() if log is None else log.open("w", encoding="utf-8") as output:
        running = subprocess.Popen(command, env=variables, stdout=output, text=True)
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
    """Ask until that is the answer; raise ``AssertionError`` after so many seconds."""
    give_up_at = monotonic() + seconds
    with httpx2.Client(trust_env=False) as client:  # a new one takes 20 ms of what it waits for
        while monotonic() < give_up_at:
            with suppress(httpx2.TransportError):
                if client.get(url).status_code == status:
                    return
            sleep(0.05)
    raise AssertionError(f"{url} did not answer {status} in {seconds} s")
