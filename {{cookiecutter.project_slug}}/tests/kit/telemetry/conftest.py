"""A collector, and services that send to it."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

import pytest
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.kit.telemetry import readers
from app.main import create_app
from tests.support.process import free_port
from tests.support.telemetry import (
    Collector,
    Metrics,
    Start,
    StartScraped,
    collecting,
    metrics_ports,
    scrape,
)


@pytest.fixture
def collector() -> Generator[Collector]:
    """Run a collector."""
    with collecting() as collector:
        yield collector


@pytest.fixture
def start(client: TestClient, settings: Settings, collector: Collector) -> Start:
    """Return a function that starts a service; at its end, the collector has all."""
    sending = {"otel_exporter_otlp_endpoint": collector.url, "otel_logs_exporter": "otlp"}

    @contextmanager
    def start(**changes: object) -> Generator[TestClient]:
        app = create_app(settings.model_copy(update=sending | changes))
        app.add_api_route("/fault", fail, include_in_schema=False)
        with TestClient(app, raise_server_exceptions=False) as started:
            started.headers = client.headers
            yield started

    return start


@pytest.fixture
def start_scraped(start: Start, caplog: pytest.LogCaptureFixture) -> StartScraped:
    """Return a function that starts a service, and yields a client and how to read its metrics."""
    caplog.set_level(logging.INFO, readers.logger.name)

    @contextmanager
    def start_scraped(**changes: object) -> Generator[tuple[TestClient, Callable[[], Metrics]]]:
        with start(**{"otel_exporter_prometheus_port": free_port()} | changes) as client:
            yield client, partial(scrape, metrics_ports(caplog.text)[-1])

    return start_scraped


def fail() -> None:
    """Log a line of the owner's, and raise an unexpected error."""
    logging.getLogger("owner").warning("an order", extra={"order_id": 5, "items": ["a"]})
    raise RuntimeError("lovelace@example.com")
