"""A collector that is away or hangs costs requests nothing, and does not keep the process."""

import os
import signal
from pathlib import Path
from time import monotonic

import httpx2
import pytest

from app.core.config import Settings
from app.kit.telemetry import telemetry
from tests.support.process import free_port, process
from tests.support.telemetry import Collector, Start, metrics_ports, scrape

# More than the queue of spans holds.
REQUESTS = 3_000
MEMORY_MB = 30
VARIABLES = {
    "OTEL_LOGS_EXPORTER": "otlp",
    # {% if cookiecutter.rate_limit %}
    "RATE_LIMIT_REQUESTS": "1000000",
    # {% endif %}
}
SECONDS = 6  # to end: 2 for what is left, the rest for the server


@pytest.mark.parametrize("is_away", [False, True])
def test_service_ends_without_the_collector(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch, *, is_away: bool
) -> None:
    monkeypatch.setattr(telemetry, "FLUSH_SECONDS", 0.1)
    collector.is_answering.clear()
    url = f"http://127.0.0.1:{free_port()}" if is_away else collector.url
    with start(otel_exporter_otlp_endpoint=url) as client:
        assert client.get("/health/live").status_code == 200
        assert client.get("/nowhere").status_code == 404
        since = monotonic()
    assert monotonic() - since < 2


def resident_mb(pid: int) -> float:
    """Return the memory of a process, which Linux shows."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
def test_requests_and_memory_do_not_suffer(settings: Settings, collector: Collector) -> None:
    collector.is_answering.clear()
    variables = {**VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with process(settings, **variables) as (running, url), httpx2.Client(trust_env=False) as client:
        for _ in range(REQUESTS):
            assert client.get(f"{url}/nowhere").status_code == 404
        before = resident_mb(running.pid)
        for _ in range(REQUESTS):
            assert client.get(f"{url}/nowhere").status_code == 404
        assert resident_mb(running.pid) - before < MEMORY_MB
        since = monotonic()
        running.send_signal(signal.SIGTERM)
        running.wait(20)
        assert monotonic() - since < SECONDS


@pytest.mark.slow
def test_processes_have_their_own_ports(settings: Settings, tmp_path: Path) -> None:
    variables = {"OTEL_EXPORTER_PROMETHEUS_PORT": str(free_port())}
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    name = "http_server_request_duration_seconds_count"
    with (
        process(settings, logs[0], **variables) as (_, first),
        process(settings, logs[1], **variables) as (_, second),
    ):
        for url, requests in ((first, 1), (second, 2)):
            for _ in range(requests):
                httpx2.get(f"{url}/nowhere", trust_env=False)
        ports = [port for it in logs for port in metrics_ports(it.read_text("utf-8"))]
        assert [scrape(port).value(name, http_route="") for port in ports] == [1, 2]
