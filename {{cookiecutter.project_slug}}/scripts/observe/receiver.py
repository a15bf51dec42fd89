"""A receiver for OTLP over HTTP, which shows the traces that it got."""

import gzip
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from scripts.observe.traces import Traces


@contextmanager
def receiving(port: int) -> Generator[str]:
    """Receive on a port of this machine, and yield the address; raise ``OSError`` if it is taken.

    ``GET /`` shows the traces. Metrics and lines of the log are accepted and dropped.
    """
    traces = Traces()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self._answer(HTTPStatus.OK, "text/plain; charset=utf-8", str(traces).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    traces.add(body)
            except (ValueError, OSError, EOFError, zlib.error):
                self._answer(HTTPStatus.BAD_REQUEST, "text/plain", b"not OTLP in protobuf")
            else:
                self._answer(HTTPStatus.OK, "application/x-protobuf", b"")

        def _answer(self, status: HTTPStatus, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
