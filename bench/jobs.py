"""How much slower a service answers while it counts primes: ``python bench/jobs.py``.

It generates a service with ``job_queue=in_process`` on SQLite, the hardest case: requests and the job
share one process and one machine. 32 clients ask for a page of users, without and with a job that
keeps a processor busy; what counts is the median of three ratios of the 99th percentiles.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

ROOT = Path(__file__).parents[1]
CLIENTS = 32
SECONDS = 5
ROUNDS = 3
BOUND = 2.0
REQUEST = b"GET /api/v1/users/?limit=20 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def main() -> None:
    """Print the percentiles of each round and end badly if jobs slow the service down too much."""
    with TemporaryDirectory() as folder:
        service = generate(Path(folder))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        python = service / ".venv" / "bin" / "python"
        variables = os.environ | {"PORT": str(port), "LOG_LEVEL": "WARNING"}
        variables["PATH"] = f"{python.parent}:{os.environ['PATH']}"
        subprocess.run(["./prestart.sh"], cwd=service, env=variables, check=True)
        command = [python, "-m", "app.serve"]
        with subprocess.Popen(command, cwd=service, env=variables) as running:
            try:
                wait_until_ready(port)
                ratio = compare(port)
            finally:
                running.kill()
    if ratio > BOUND:
        raise SystemExit(f"With a job, the p99 is {ratio:.2f} times that without: above {BOUND}.")


def generate(folder: Path) -> Path:
    """Make the service and its environment."""
    answers = ["project_slug=measured", "job_queue=in_process", "fan_out=false"]
    command = ["cookiecutter", str(ROOT), "--no-input", "--output-dir", str(folder), *answers]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    service = folder / "measured"
    variables = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    command = ["uv", "sync", "--quiet", "--no-dev", "--python", sys.executable]
    subprocess.run(command, cwd=service, env=variables, check=True)
    return service


def wait_until_ready(port: int) -> None:
    """Wait until the service answers; raise ``TimeoutError``."""
    give_up_at = monotonic() + 30
    while monotonic() < give_up_at:
        try:
            ask(port, "GET", "/health/ready")
        except OSError:
            sleep(0.1)
        else:
            return
    raise TimeoutError("the service did not get ready")


def ask(port: int, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Send one request and return the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def compare(port: int) -> float:
    """Print both percentiles of each round and return the median of their ratios."""
    asyncio.run(load(port, 1))  # the first requests find nothing prepared
    ratios = []
    for number in range(1, ROUNDS + 1):
        without = asyncio.run(load(port, SECONDS))
        job = start_job(port)
        meanwhile = asyncio.run(load(port, SECONDS))
        if job_status(port, job) != "running":
            raise SystemExit("The job ended before the measurement.")
        stop_job(port, job)
        ratios.append(p99(meanwhile) / p99(without))
        print(f"round {number}: {describe(without)} without, {describe(meanwhile)} with a job")
    median = statistics.median(ratios)
    print(f"p99 with a job / without: {median:.2f} (median of {ROUNDS})")
    return median


def start_job(port: int) -> int:
    """Start a job that lasts longer than the measurement, and wait until it runs."""
    job = ask(port, "POST", "/api/v1/tasks/", {"limit": 500_000_000})["id"]
    while job_status(port, job) == "queued":
        sleep(0.05)
    sleep(1)  # until its child process counts
    return job


def stop_job(port: int, job: int) -> None:
    """Cancel a job and wait until it has ended."""
    ask(port, "DELETE", f"/api/v1/jobs/{job}")
    while job_status(port, job) == "running":
        sleep(0.05)


def job_status(port: int, job: int) -> str:
    """Ask how a job is."""
    return ask(port, "GET", f"/api/v1/jobs/{job}")["status"]


async def load(port: int, seconds: float) -> list[float]:
    """Let all clients ask again and again; return how long each answer took, in seconds."""
    end = monotonic() + seconds
    clients = await asyncio.gather(*(client(port, end) for _ in range(CLIENTS)))
    return [latency for latencies in clients for latency in latencies]


async def client(port: int, end: float) -> list[float]:
    """Ask on one connection until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies = []
    while (began := monotonic()) < end:
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"A request was answered {head.split(b' ', 2)[1].decode()}.")
        length = next(
            line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        await reader.readexactly(int(length.partition(b":")[2]))
        latencies.append(monotonic() - began)
    writer.close()
    await writer.wait_closed()
    return latencies


def p99(latencies: list[float]) -> float:
    """Return the time within which 99 % were answered."""
    return statistics.quantiles(latencies, n=100)[98]


def describe(latencies: list[float]) -> str:
    """Say how many requests were answered in a second and how fast."""
    return f"{len(latencies) / SECONDS:.0f}/s, p99 {p99(latencies) * 1000:.1f} ms"


if __name__ == "__main__":
    main()
