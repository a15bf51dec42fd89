"""Export metrics: to a collector every minute, and in Prometheus' format whenever it asks."""

import errno
import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from prometheus_client import CollectorRegistry, make_wsgi_app

from app.kit.telemetry.requests import RequestMeterProvider

logger = logging.getLogger(__name__)

# Each process of the service on this machine takes the first port that is free.
PORTS = 32
POLL_SECONDS = 0.05  # how long the end of the process may wait for the server


class RequestsReader(MetricReader):
    """Adds the metrics of requests to those that the SDK's reader, the next class, exports."""

    _requests: RequestMeterProvider

    def _receive_metrics(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **options: object,
    ) -> None:
        super()._receive_metrics(self._requests.added_to(metrics_data), timeout_millis)


class CollectorReader(RequestsReader, PeriodicExportingMetricReader):
    """Sends all metrics to a collector."""

    def __init__(self, exporter: MetricExporter, requests: RequestMeterProvider) -> None:
        self._requests = requests
        super().__init__(exporter)


class PrometheusReader(RequestsReader, PrometheusMetricReader):
    """Shows all metrics to Prometheus."""

    def __init__(self, registry: CollectorRegistry, requests: RequestMeterProvider) -> None:
        self._requests = requests
        super().__init__(registry=registry, scope_info_enabled=False)


class Handler(WSGIRequestHandler):
    """Answers one scrape."""

    timeout = 10

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Serves the metrics of this process; prometheus_client's takes half a second to stop."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, registry: CollectorRegistry) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)
        self.set_app(make_wsgi_app(registry))

    def server_bind(self) -> None:
        """Bind without looking up the name of the host, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "metrics", int(self.socket.getsockname()[1])
        self.setup_environ()


def open_server(registry: CollectorRegistry, host: str, port: int) -> MetricsServer | None:
    """Listen on the first free port from ``port`` on; log it if that is impossible."""
    for candidate in range(port, port + PORTS):
        try:
            return MetricsServer(host, candidate, registry)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                logger.error("metrics cannot be served on %s: %s", host, error.strerror)
                return None
    logger.error("metrics cannot be served: %d ports from %d on are in use", PORTS, port)
    return None


@contextmanager
def serving_metrics(registry: CollectorRegistry, host: str, port: int) -> Generator[None]:
    """Serve the metrics of this process; without a port, the service runs on."""
    server = open_server(registry, host, port)
    if server is None:
        yield
        return
    thread = Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    logger.info("metrics are served on %s, port %d", host, server.server_port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
