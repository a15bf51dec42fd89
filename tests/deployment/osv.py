"""A database of vulnerabilities: it answers as osv.dev does, which the tests do not ask."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

VULNERABILITY = "GHSA-0000-0000-0001"
TIME = "2026-11-01T00:00:00Z"


class Database(ThreadingHTTPServer):
    """Knows one vulnerability, of the package ``vulnerable``; notes which packages it was asked about."""

    def __init__(self, vulnerable: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.vulnerable = vulnerable
        self.asked: set[str] = set()

    def flags(self, package_manager: object) -> str:
        """Return the options with which the program of a package manager asks this database."""
        address = f"http://127.0.0.1:{self.server_port}"
        if package_manager == "uv":
            return f"--service-url {address}/"
        return f"--osv-url {address}/v1/query"

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """Return the vulnerabilities of a release."""
        name = query["package"]["name"].lower()
        self.asked.add(name)
        return {"vulns": [self.record()]} if name == self.vulnerable else {}

    def record(self) -> dict[str, Any]:
        """Return all that is known of the vulnerability."""
        events = [{"introduced": "0"}, {"fixed": "99"}]
        package = {"name": self.vulnerable, "ecosystem": "PyPI"}
        affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
        times = {"published": TIME, "modified": TIME}
        return {"id": VULNERABILITY, "summary": "planted", "affected": [affected]} | times


class _Handler(BaseHTTPRequestHandler):
    @property
    def database(self) -> Database:
        assert isinstance(self.server, Database)
        return self.server

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        several = query.get("queries")
        if several is None:
            self._send(self.database.answer(query))
        else:
            self._send({"results": [self.database.answer(it) for it in several]})

    def do_GET(self) -> None:
        self._send(self.database.record())

    def _send(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def database(vulnerable: str = "") -> Generator[Database]:
    """Serve a database during the block."""
    server = Database(vulnerable)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
