"""Nothing personal reaches a collector."""

import logging
from collections.abc import Generator

import pytest

from app.core.config import Settings
from tests.support.private import PRIVATE, PRIVATE_REQUESTS
from tests.support.process import get, process
from tests.support.telemetry import Collector, Start, attributes

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


@pytest.mark.slow
def test_error_is_exported_with_its_trace_and_without_its_text(
    settings: Settings, collector: Collector
) -> None:
    """The server logs it, which the client of the other tests does not have."""
    variables = {
        "APP_MODULE": "tests.support.apps:failing_app",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_LOGS_EXPORTER": "otlp",
    }
    with process(settings, **variables) as (running, url):
        assert get(f"{url}/fault?text={PRIVATE}").status_code == 500
        running.terminate()
        running.wait(20)
    (line,) = (it for it in collector.logs if "exception" in attributes(it.attributes))
    shown = str(attributes(line.attributes)["exception"])
    assert "in fail_with" in shown
    assert shown.endswith("RuntimeError")
    assert "ValueError\n\n" in shown
    span = collector.span("GET /fault")
    assert (line.trace_id, line.span_id) == (span.trace_id, span.span_id)
    assert PRIVATE.encode() not in collector.everything
