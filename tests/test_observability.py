"""Metrics and traces of services as Prometheus and `make observe` see them."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.combinations import DEFAULTS, Combination
from tests.ports import free_port
from tests.programs import environment, run
from tests.services import Service
from tests.trees import tree

OBSERVED = DEFAULTS.but(telemetry=True)
WITH_WORKERS = OBSERVED.but(database="postgresql", job_queue="procrastinate")
SECONDS = 60
SERVED = re.compile(r"metrics are served on \S+, port (\d+)")
TARGETS = re.compile(r"targets: \[.*\]")
REQUESTS = 'sum(http_server_request_duration_seconds_count{http_route="/api/v1/recipes/"})'
T = TypeVar("T")
open_url = build_opener(ProxyHandler({})).open

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="Prometheus is not installed: apt install prometheus",
)


@needs_prometheus
@pytest.mark.parametrize("combination", [OBSERVED, OBSERVED.but(job_queue="in_process")], ids=str)
def test_rules_fire_when_they_should(combination: Combination) -> None:
    rules = tree(combination) / "observability"
    run("promtool", "check", "rules", "alerts.yaml", cwd=rules)
    run("promtool", "test", "rules", "alerts_test.yaml", cwd=rules)
    run("promtool", "check", "config", "prometheus.yaml", cwd=rules)


def ask(url: str, body: dict[str, object] | None = None) -> str:
    """Return the answer to a GET, or to a POST with a body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(url, data, headers)  # noqa: S310 (URLs of this module)
    with open_url(request, timeout=10) as response:
        return response.read().decode()


def metric(prometheus: str, expression: str) -> float | None:
    """Return what Prometheus evaluates an expression to, None if there is nothing yet."""
    found: dict[str, Any] = json.loads(
        ask(f"{prometheus}/api/v1/query?query={quote(expression, safe='')}")
    )
    results = found["data"]["result"]
    return float(results[0]["value"][1]) if results else None


def wait_until(what: str, read: Callable[[], T]) -> T:
    """Call until the result is true, and return it."""
    give_up_at = monotonic() + SECONDS
    while True:
        with suppress(OSError):
            if result := read():
                return result
        assert monotonic() < give_up_at, what
        sleep(0.1)


@contextmanager
def started(
    service: Service, log: Path, command: list[str], variables: dict[str, str]
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program of a service in a group of its own, as a terminal does."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=service.folder,
            env=environment(**variables),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                try:
                    process.wait(SECONDS)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


@needs_prometheus
def test_observe_shows_the_metrics_of_all_processes_and_a_trace_through_two(
    workplace: Path, tmp_path: Path
) -> None:
    """`WORKERS=2` and a worker of the queue; Ctrl-C leaves no process and no file."""
    service = Service.open(WITH_WORKERS, workplace)
    port, left = str(free_port()), tmp_path / "left"
    left.mkdir()
    variables = service.variables | {
        "DATABASE_URL": service.new_database(),
        "PORT": port,
        "WORKERS": "2",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{free_port()}",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(free_port()),
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "UV_PROJECT_ENVIRONMENT": str(service.programs.parent),
    }
    service.run("./prestart.sh", **variables)
    logs = [tmp_path / "web.log", tmp_path / "worker.log"]
    with ExitStack() as stack:
        python = str(service.programs / "python")
        for log, module in zip(logs, ("app.serve", "app.worker"), strict=True):
            stack.enter_context(started(service, log, [python, "-m", module], variables))

        def ports() -> list[str]:
            found = [it for log in logs for it in SERVED.findall(log.read_text("utf-8"))]
            return found if len(found) == 3 else []

        addresses = [f"localhost:{it}" for it in wait_until("three processes", ports)]
        configuration = service.folder / "observability/prometheus.yaml"
        wanted = [*addresses, f"localhost:{variables['OTEL_EXPORTER_PROMETHEUS_PORT']}"]
        text = configuration.read_text("utf-8")
        configuration.write_text(TARGETS.sub(f"targets: [{', '.join(wanted)}]", text), "utf-8")
        web = f"http://127.0.0.1:{port}"
        wait_until("ready", lambda: ask(f"{web}/health/ready"))
        shown = tmp_path / "observe.log"
        observing = variables | {"TMPDIR": str(left)}
        with started(service, shown, ["make", "observe"], observing) as observe:
            wait_until("observe", lambda: "Ctrl-C" in shown.read_text("utf-8"))
            prometheus, traces = re.findall(r"http://localhost:\d+\b(?!/)", shown.read_text())[-2:]
            for _ in range(5):
                ask(f"{web}/api/v1/recipes/")
            ask(f"{web}/api/v1/tasks/", {"limit": 1000})
            wait_until("three targets", lambda: metric(prometheus, "sum(up)") == 3)
            wait_until("five requests", lambda: metric(prometheus, REQUESTS) == 5)
            jobs = "sum(job_duration_seconds_count)"
            wait_until("one job", lambda: metric(prometheus, jobs) == 1)
            rules = ask(f"{prometheus}/api/v1/rules")
            assert "RequestsFail" in rules
            assert "JobsWait" in rules

            def trace() -> list[str]:
                found = [it for it in ask(traces).split("\n\n") if "POST /api/v1/tasks" in it]
                return found if "  process " in "".join(found) else []

            (found,) = wait_until("the trace of the job", trace)
            assert len(set(re.findall(r"ms  \S+ (\w{8})", found))) == 2, found
            os.killpg(observe.pid, signal.SIGINT)
            observe.wait(SECONDS)
    assert not list(left.glob("prometheus-*"))
    for url in (prometheus, traces):
        with pytest.raises(OSError, match="refused"):
            ask(url)
