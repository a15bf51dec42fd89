"""100 MB where 1 MB is the limit."""

import socket
from collections.abc import Iterator
from contextlib import suppress

from soak.load import USERS
from soak.promise import Promise
from soak.service import Service

CHUNK = b" " * 65_536
TOTAL_BYTES = 100_000_000
HEAD = f"POST {USERS} HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
DECLARED = f"{HEAD}Content-Length: {TOTAL_BYTES}\r\n\r\n".encode()
CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()


def attack(service: Service) -> Iterator[Promise]:
    """Send 100 MB in both ways, and look how much of it is held in the end."""
    before_mb = service.memory_mb()
    for kind, head, chunk in (
        ("declared", DECLARED, CHUNK),
        ("chunked", CHUNKED, b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)),
    ):
        with service.connect(head) as connection:
            _send(connection, chunk)
            growth_mb = service.memory_mb() - before_mb
            is_refused = connection.recv(100).startswith(b"HTTP/1.1 413 ")
        yield Promise(f"100 MB, {kind}: growth of memory in MB", growth_mb, 10)
        yield Promise(f"100 MB, {kind}: answers other than 413", not is_refused, 0)


def _send(connection: socket.socket, chunk: bytes) -> None:
    """Send all, or until the service has enough."""
    with suppress(ConnectionError):
        for _ in range(TOTAL_BYTES // len(CHUNK)):
            connection.sendall(chunk)
