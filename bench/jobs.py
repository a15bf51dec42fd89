"""How much slower a service answers while a job keeps a processor busy: ``make bench-jobs``.

The service has ``job_queue=in_process`` and SQLite, the hardest case: requests and the job share one
machine, and here one CPU.
"""

import json
import os
import subprocess
from http.client import HTTPConnection
from statistics import median
from time import sleep
from typing import Any

from bench.load import PATIENCE_SECONDS, Scenario, check, wrk
from bench.processes import LOAD_CPU, Server, free_port, serve
from bench.services import BUILD, PYTHON, generate
from bench.suite import WARM_UP_SECONDS, check_machine

FOLDER = BUILD / "jobs-service"
USERS = Scenario("/api/v1/users/?limit=20")
CLIENTS = 32
SECONDS = 5
ROUNDS = 3
MOST_TIMES = 2.0


def main() -> None:
    """Print the figures of each round and end badly if the job slows the service down too much."""
    check_machine()
    os.sched_setaffinity(0, {LOAD_CPU})
    generate({FOLDER: {"job_queue": "in_process"}})
    database = {"DATABASE_URL": f"sqlite:///{FOLDER / 'app.db'}"}
    path = f"{PYTHON.parent}:{os.environ['PATH']}"
    variables = {**os.environ, **database, "PATH": path}
    subprocess.run(["./prestart.sh"], cwd=FOLDER, env=variables, check=True)
    port = free_port()
    with serve([str(PYTHON), "-m", "app.serve"], FOLDER, database, port) as server:
        check(port, USERS)
        wrk(port, USERS, CLIENTS, WARM_UP_SECONDS)
        times = median(measure(server) for _ in range(ROUNDS))
    print(f"p99 with a job: {times:.2f} times that without (median of {ROUNDS})")
    if times > MOST_TIMES:
        raise SystemExit(f"That is more than {MOST_TIMES:g} times.")


def measure(server: Server) -> float:
    """Return how many times longer the 99th percentile is with a job."""
    server.wait_until_idle()
    without = wrk(server.port, USERS, CLIENTS, SECONDS)
    job = start_job(server.port)
    meanwhile = wrk(server.port, USERS, CLIENTS, SECONDS)
    if job_status(server.port, job) != "running":
        raise SystemExit("The job ended before the load.")
    stop_job(server.port, job)
    for name, load in (("without", without), ("with", meanwhile)):
        rate = load["requests"] / load["seconds"]
        print(f"{rate:.0f}/s, p99 {load['p99_ms']:.1f} ms {name} a job")
        if load["errors"]:
            raise SystemExit(f"{load['errors']} requests failed.")
    return meanwhile["p99_ms"] / without["p99_ms"]


def start_job(port: int) -> int:
    """Start a job that lasts longer than the load, and wait until it runs."""
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


def ask(port: int, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Send one request and return the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


if __name__ == "__main__":
    main()
