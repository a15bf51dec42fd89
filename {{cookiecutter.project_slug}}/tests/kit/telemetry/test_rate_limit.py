"""Metrics of the rate limit."""

from tests.support.telemetry import StartScraped
from tests.support.users import USERS


def test_refused_requests_are_counted_by_rule(start_scraped: StartScraped) -> None:
    with start_scraped(rate_limit_requests=1) as (client, scrape):
        statuses = [client.get(USERS).status_code for _ in range(3)]
        found = scrape()
    assert statuses == [200, 429, 429]
    assert found.value("rate_limit_refused_total", rate_limit_rule="default") == 2
