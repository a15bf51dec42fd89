"""A collector for tests, which speaks OTLP over HTTP and keeps what it receives."""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TypeAlias

from fastapi.testclient import TestClient
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Start: TypeAlias = Callable[..., AbstractContextManager[TestClient]]


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
        requests = map(ExportTraceServiceRequest.FromString, self.bodies["/v1/traces"])
        spans = [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        return sorted(spans, key=lambda span: span.start_time_unix_nano)

    @property
    def logs(self) -> list[LogRecord]:
        """The lines of the log."""
        requests = map(ExportLogsServiceRequest.FromString, self.bodies["/v1/logs"])
        return [
            record
            for request in requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def span(self, name: str) -> Span:
        """Return the only span of this name."""
        (span,) = (span for span in self.spans if span.name == name)
        return span


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
