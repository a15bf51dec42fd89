"""Metrics of the rate limit."""

from tests.support.process import free_port
from tests.support.telemetry import Start, scrape
from tests.support.users import USERS


def test_refused_requests_are_counted_by_rule(start: Start) -> None:
    port = free_port()
    with start(otel_exporter_prometheus_port=port, rate_limit_requests=1) as client:
        statuses = [client.get(USERS).status_code for _ in range(3)]
        found = scrape(port)
    assert statuses == [200, 429, 429]
    assert found.value("rate_limit_refused_total", rate_limit_rule="default") == 2
