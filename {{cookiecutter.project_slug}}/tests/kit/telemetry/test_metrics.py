"""Metrics of a process, as Prometheus and a collector see them."""

import socket

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from starlette.types import Message

from app.core.about import ABOUT
from app.kit.telemetry import readers, requests
from tests.support.telemetry import Collector, Start, StartScraped, metrics_ports
from tests.support.users import USERS

USER = USERS + "{id}"
SCOPE: dict[str, object] = {
    "type": "http",
    "method": "GET",
    "scheme": "http",
    "http_version": "1.1",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"testserver")],
    "client": ("127.0.0.1", 1),
    "server": ("testserver", 80),
}
COUNT = "http_server_request_duration_seconds_count"


def test_requests_are_counted_by_route_method_and_status(start_scraped: StartScraped) -> None:
    with start_scraped() as (client, scrape):
        for path in (f"{USERS}4711", f"{USERS}4712", "/health/ready"):
            client.get(path)
        found = scrape()
    labels = {
        "http_request_method": "GET",
        "http_response_status_code": "404",
        "http_route": USER,
        "network_protocol_version": "1.1",
        "url_scheme": "http",
    }
    assert found.value(COUNT, **labels) == 2
    assert found.value(COUNT, http_route="/health/ready", http_response_status_code="200") == 1
    assert found.value("http_server_active_requests") == 0
    bucket = "http_server_request_duration_seconds_bucket"
    assert found.value(bucket, **labels, le="+Inf") == 2


def test_unknown_paths_make_no_series(start_scraped: StartScraped) -> None:
    with start_scraped(otel_traces_exporter="none") as (client, scrape):
        client.get("/nowhere")
        client.request("M", "/nowhere")
        client.get(f"{USERS}4711")
        before = scrape()
        for number in range(1, 31):
            client.get(f"/{number}")
            client.request(f"M{number}", f"/{number}/{number}")
            client.get(f"{USERS}{4711 + number}")
        after = scrape()
    unknown = {"http_route": "", "http_response_status_code": "404"}
    assert after.value(COUNT, http_request_method="GET", **unknown) == 31
    assert after.value(COUNT, http_request_method="_OTHER", **unknown) == 31
    assert before.count("http_") == after.count("http_")


@pytest.mark.slow
def test_ten_thousand_unknown_paths_make_no_series(start_scraped: StartScraped) -> None:
    """Sent to the application itself, because a client would take longer than the service."""
    with start_scraped(otel_traces_exporter="none") as (client, scrape):
        assert client.portal is not None
        client.portal.call(request_paths, client, 1)
        before = scrape()
        client.portal.call(request_paths, client, 10_000)
        after = scrape()
    assert after.value(COUNT, http_response_status_code="404") == 10_001
    assert before.count("http_") == after.count("http_")


async def request_paths(client: TestClient, number: int) -> None:
    """Request so many different paths that no route has."""

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_: Message) -> None:
        pass

    for path in (f"/{it}/{it}" for it in range(number)):
        state = client.app_state.copy()
        scope = SCOPE | {"path": path, "raw_path": path.encode(), "state": state}
        await client.app(scope, receive, send)


def test_series_are_bounded(start_scraped: StartScraped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_SERIES", 1)
    with start_scraped() as (client, scrape):
        for path in ("/nowhere", "/health/live", f"{USERS}4711"):
            client.get(path)
        found = scrape()
    assert found.value(COUNT, http_response_status_code="404") == 1
    assert found.value(COUNT, otel_metric_overflow="true") == 2


def test_process_is_named_and_measured(start_scraped: StartScraped) -> None:
    with start_scraped() as (client, scrape):
        client.get(f"{USERS}4711")
        found = scrape()
    assert found.value("target_info", service_version=ABOUT.version) == 1
    assert found.value("db_client_connection_max") == 2
    assert found.value("db_client_connection_count", db_client_connection_state="used") == 0
    assert found.value("db_client_connection_count", db_client_connection_state="idle") >= 1
    assert found.value("db_client_connection_pending_requests") == 0


def test_no_name_of_a_host_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take seconds, in which the service does not start."""
    monkeypatch.delattr(socket, "getfqdn")
    with readers.MetricsServer("127.0.0.1", 0, CollectorRegistry()) as server:
        assert server.server_port > 0


def test_next_process_takes_the_next_port(
    start_scraped: StartScraped, caplog: pytest.LogCaptureFixture
) -> None:
    """Programs of others may have taken more ports."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start_scraped(otel_exporter_prometheus_port=port) as (client, scrape):
            client.get("/nowhere")
            assert scrape().value(COUNT) == 1
    (served,) = metrics_ports(caplog.text)
    assert port < served < port + readers.PORTS


def test_metrics_are_sent_to_the_collector(start: Start, collector: Collector) -> None:
    with start() as client:
        client.get(f"{USERS}4711")
    metrics = {metric.name: metric for metric in collector.metrics}
    (point,) = metrics["http.server.request.duration"].histogram.data_points
    assert (point.count, metrics["http.server.request.duration"].unit) == (1, "s")
    assert "db.client.connection.count" in metrics


def test_signals_can_be_switched_off(start: Start, collector: Collector) -> None:
    off = {f"otel_{signal}_exporter": "none" for signal in ("traces", "metrics", "logs")}
    with start(**off) as client:
        client.get("/nowhere")
    assert not collector.bodies
