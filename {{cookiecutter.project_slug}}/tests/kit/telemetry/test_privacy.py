"""Nothing personal reaches a collector."""

import logging
from collections.abc import Generator

import pytest

from tests.support.private import PRIVATE, PRIVATE_REQUESTS
from tests.support.telemetry import Collector, Start

# What a client can send besides, with a trace that is recorded.
HEADERS = {
    "Host": f"{PRIVATE}.example.com",
    "User-Agent": PRIVATE,
    "X-Forwarded-For": PRIVATE,
    "baggage": f"user={PRIVATE}",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": f"{PRIVATE}={PRIVATE}",
}


@pytest.fixture(autouse=True)
def _levels() -> Generator[None]:
    """Log as the service does; the client of the tests logs addresses."""
    root, client = logging.getLogger(), logging.getLogger("httpx2")
    before = root.level, client.level
    root.setLevel(logging.INFO)
    client.setLevel(logging.WARNING)
    yield
    root.setLevel(before[0])
    client.setLevel(before[1])


def test_nothing_personal_is_exported(start: Start, collector: Collector) -> None:
    with start() as client:
        for method, path, options, status in PRIVATE_REQUESTS:
            headers = HEADERS | options.get("headers", {})
            response = client.request(method, path, **options | {"headers": headers})
            assert response.status_code == status, path
        credentials = client.headers.get("Authorization", PRIVATE).split()[-1]
    requests = [span for span in collector.spans if span.kind == span.SPAN_KIND_SERVER]
    assert len(requests) == len(PRIVATE_REQUESTS)
    assert b"app.access" in collector.everything
    assert PRIVATE.encode() not in collector.everything.lower()
    assert credentials.encode() not in collector.everything
