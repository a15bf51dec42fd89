"""How many more requests two workers answer than one: ``make bench-workers``.

The service and the load generator share both CPUs, as two processes on a small machine share them
with a proxy. So two workers cannot answer twice as many requests: the figures show what the load
generator took.
"""

import os
import resource
import subprocess
from statistics import median
from time import sleep

from bench.load import Scenario, check, wrk
from bench.processes import APP_CPU, LOAD_CPU, free_port, serve
from bench.services import BUILD, PYTHON, generate
from bench.suite import WARM_UP_SECONDS, check_machine

FOLDER = BUILD / "workers-service"
SCENARIOS = {
    "list of users": Scenario("/api/v1/users/?limit=20"),
    "liveness probe": Scenario("/health/live"),
}
CLIENTS = 64
SECONDS = 5
ROUNDS = 3
# Until the second worker serves: the first answers earlier.
START_SECONDS = 5
LEAST_TIMES = 1.1


def main() -> None:
    """Print the figures of each round; end badly if a second worker is of no use."""
    check_machine()
    os.sched_setaffinity(0, {APP_CPU, LOAD_CPU})
    generate({FOLDER: {}})
    database = {"DATABASE_URL": f"sqlite:///{FOLDER / 'app.db'}"}
    path = f"{PYTHON.parent}:{os.environ['PATH']}"
    variables = {**os.environ, **database, "PATH": path}
    subprocess.run(["./prestart.sh"], cwd=FOLDER, env=variables, check=True)
    times: dict[str, list[float]] = {name: [] for name in SCENARIOS}
    for _ in range(ROUNDS):
        one, two = measure(database, workers=1), measure(database, workers=2)
        for name, values in times.items():
            values.append(two[name] / one[name])
    for name, values in times.items():
        print(f"{name}: {median(values):.2f} times as many with two workers (median of {ROUNDS})")
    if min(map(median, times.values())) < LEAST_TIMES:
        raise SystemExit(f"That is less than {LEAST_TIMES:g} times.")


def measure(database: dict[str, str], workers: int) -> dict[str, float]:
    """Return the requests per second of each scenario."""
    port = free_port()
    variables = {**database, "WORKERS": str(workers)}
    command = [str(PYTHON), "-m", "app.serve"]
    rates: dict[str, float] = {}
    with serve(command, FOLDER, variables, port, more_cpus=[LOAD_CPU]) as server:
        sleep(START_SECONDS)
        for name, scenario in SCENARIOS.items():
            check(port, scenario)
            wrk(port, scenario, CLIENTS, WARM_UP_SECONDS)
            before, load_before = server.children_cpu_seconds(), load_cpu_seconds()
            load = wrk(port, scenario, CLIENTS, SECONDS)
            used = [b - a for a, b in zip(before, server.children_cpu_seconds(), strict=True)]
            if load["errors"]:
                raise SystemExit(f"{load['errors']} requests failed.")
            rates[name] = load["requests"] / load["seconds"]
            shares = " and ".join(f"{100 * it / SECONDS:.0f} %" for it in used if it > 1)
            print(
                f"{name}, {workers} worker{'s' * (workers > 1)}: {rates[name]:.0f}/s, "
                f"p99 {load['p99_ms']:.1f} ms; CPU of the load generator "
                f"{100 * (load_cpu_seconds() - load_before) / SECONDS:.0f} %"
                + (f", of the workers {shares}" if shares else "")
            )
    return rates


def load_cpu_seconds() -> float:
    """Return the CPU time of the load generators that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
