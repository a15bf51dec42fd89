"""A collector for tests, which speaks OTLP over HTTP and keeps what it receives."""

import re
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, TypeAlias

import httpx2
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Start: TypeAlias = Callable[..., AbstractContextManager[TestClient]]

# What a process logs as soon as Prometheus can read its metrics.
SERVED = re.compile(r"metrics are served on \S+, port (\d+)")


class Collector:
    """What a collector has received so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: defaultdict[str, list[bytes]] = defaultdict(list)
        self.headers: list[dict[str, str]] = []
        self.is_answering = Event()
        self.is_answering.set()

    @property
    def everything(self) -> bytes:
        """All that was received; texts stand in it as they are."""
        return b"".join(body for bodies in self.bodies.values() for body in bodies)

    @property
    def resource(self) -> dict[str, object]:
        """The attributes of the process that sent the first spans."""
        request = ExportTraceServiceRequest.FromString(self.bodies["/v1/traces"][0])
        return attributes(request.resource_spans[0].resource.attributes)

    @property
    def spans(self) -> list[Span]:
        """The spans, in the order of their start."""
        spans = self._received("traces", ExportTraceServiceRequest.FromString, "spans")
        return sorted(spans, key=lambda span: span.start_time_unix_nano)

    @property
    def logs(self) -> list[LogRecord]:
        """The lines of the log."""
        return self._received("logs", ExportLogsServiceRequest.FromString, "logs", "log_records")

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all exports."""
        return self._received("metrics", ExportMetricsServiceRequest.FromString, "metrics")

    def _received(
        self, signal: str, parse: Callable[[bytes], object], kind: str, items: str | None = None
    ) -> list[Any]:
        """Return the items of all resources and scopes."""
        return [
            item
            for body in self.bodies[f"/v1/{signal}"]
            for resource in getattr(parse(body), f"resource_{kind}")
            for scope in getattr(resource, f"scope_{kind}")
            for item in getattr(scope, items or kind)
        ]

    def span(self, name: str) -> Span:
        """Return the only span of this name."""
        (span,) = (span for span in self.spans if span.name == name)
        return span


class Metrics:
    """What Prometheus reads from a process."""

    def __init__(self, text: str) -> None:
        self.samples: list[Sample] = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def count(self, prefix: str) -> int:
        """Count the series whose names begin like this."""
        return sum(sample.name.startswith(prefix) for sample in self.samples)

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of this name with these labels."""
        found = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert found, f"{name} {labels}"
        return sum(found)


StartScraped: TypeAlias = Callable[
    ..., AbstractContextManager[tuple[TestClient, Callable[[], Metrics]]]
]


def metrics_ports(log: str) -> list[int]:
    """Return the ports of the metrics, from the log: a process takes the first that is free."""
    return [int(port) for port in SERVED.findall(log)]


def scrape(port: int) -> Metrics:
    """Read the metrics of a process as Prometheus does."""
    response = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=5)
    assert response.status_code == 200
    return Metrics(response.text)


def attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    """Return attributes by their names."""
    return {
        pair.key: getattr(pair.value, kind) if (kind := pair.value.WhichOneof("value")) else None
        for pair in pairs
    }


@contextmanager
def collecting() -> Generator[Collector]:
    """Run a collector on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.is_answering.wait(30)
            collector.bodies[self.path].append(body)
            collector.headers.append(dict(self.headers))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            collector.is_answering.set()
            server.shutdown()
            thread.join()
