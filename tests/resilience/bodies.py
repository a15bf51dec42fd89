"""Request bodies far beyond the limit."""

import socket
from collections.abc import Iterator
from contextlib import suppress

from tests.resilience.check import Check
from tests.resilience.document import PHOTO, USERS
from tests.resilience.service import Service

CHUNK = b" " * 65_536
TOTAL_BYTES = 100_000_000
JSON = "application/json"
FORM = "multipart/form-data; boundary=x"
FILE = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n"
)


def check_large_bodies(service: Service) -> Iterator[Check]:
    """Send 100 MB where 1 MB is the limit, and measure how much of it the service holds."""
    yield from _check(service, "100 MB", f"POST {USERS}", JSON, limit_mb=10)


def check_large_photos(service: Service) -> Iterator[Check]:
    """Send a file of 100 MB where 5 MB is the limit."""
    target = f"POST {PHOTO.format(id=1)}"
    yield from _check(service, "photo of 100 MB", target, FORM, first=FILE, limit_mb=20)


def _check(
    service: Service,
    what: str,
    target: str,
    content_type: str,
    *,
    first: bytes = b"",
    limit_mb: float,
) -> Iterator[Check]:
    """Send it with ``Content-Length`` and in chunks."""
    fields = {"Host": "resilience", "Content-Type": content_type} | service.headers
    lines = [f"{target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    declared = "\r\n".join([*lines, f"Content-Length: {TOTAL_BYTES}", "", ""]).encode()
    chunked = "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode()
    before_mb = service.memory_mb()
    for kind, start, chunk in (
        ("declared", declared + first, CHUNK),
        ("chunked", chunked + (_chunk(first) if first else b""), _chunk(CHUNK)),
    ):
        with service.connect(start) as connection:
            _send(connection, chunk)
            growth_mb = service.memory_mb() - before_mb
            is_refused = connection.recv(100).startswith(b"HTTP/1.1 413 ")
        yield Check(f"{what}, {kind}: growth of memory in MB", growth_mb, limit_mb)
        yield Check(f"{what}, {kind}: answers other than 413", not is_refused, 0)


def _chunk(content: bytes) -> bytes:
    """Frame some bytes as one chunk of ``Transfer-Encoding: chunked``."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def _send(connection: socket.socket, chunk: bytes) -> None:
    """Send all, or until the service closes the connection."""
    with suppress(ConnectionError):
        for _ in range(TOTAL_BYTES // len(CHUNK)):
            connection.sendall(chunk)
