"""Clients that take all they can: bodies of 100 MB, and connections that come to no point."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from time import monotonic, sleep

from soak.load import USERS, count_bad, load
from soak.service import Promise, Service

HEAD = f"POST {USERS} HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
CHUNK = b" " * 65_536
TOTAL_BYTES = 100_000_000
DECLARED = f"{HEAD}Content-Length: {TOTAL_BYTES}\r\n\r\n".encode()
CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
SECONDS = 20
# What each slow client sends at first, and then every second.
HEADS = 200 * [(HEAD.encode(), b"X-More: 1\r\n")]
BODIES = 50 * [(f"{HEAD}Content-Length: 1000\r\n\r\n".encode(), b" ")]


def attack(service: Service) -> Iterator[Promise]:
    """Send much, then little for long."""
    yield from _send_too_much(service)
    yield from _come_to_no_point(service)


def _send_too_much(service: Service) -> Iterator[Promise]:
    """Send 100 MB where 1 MB is the limit, and look how much of it is held in the end."""
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


def _come_to_no_point(service: Service) -> Iterator[Promise]:
    """Drip into 250 connections for 20 seconds, while others ask as usual."""
    with ExitStack() as stack:
        slow = [
            (stack.enter_context(service.connect(first)), drop) for first, drop in HEADS + BODIES
        ]
        with load(service) as others:
            give_up_at = monotonic() + SECONDS
            while monotonic() < give_up_at:
                slow = [(connection, drop) for connection, drop in slow if _drip(connection, drop)]
                sleep(1)
    slowest = max(answer.seconds for answer in others.answers)
    bad = count_bad(others.answers, 200, 201)
    yield Promise("250 slow clients: still connected after 20 s", len(slow), 0)
    yield Promise("250 slow clients: others' requests that failed", bad, 0)
    yield Promise("250 slow clients: slowest of others' requests in s", slowest, 2)


def _drip(connection: socket.socket, drop: bytes) -> bool:
    """Send a little more; tell whether the service still wants it."""
    try:
        connection.sendall(drop)
    except ConnectionError:
        return False
    return True
