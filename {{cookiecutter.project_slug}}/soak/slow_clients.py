"""Clients that hold connections without coming to the point."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic, sleep

from soak.load import USERS, count_bad, load
from soak.promise import Promise
from soak.service import Service

SECONDS = 20
HALF_HEAD = f"POST {USERS} HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
HALF_BODY = f"{HALF_HEAD}Content-Length: 1000\r\n\r\n"
# What each sends at first, and then every second.
HEADS = 200 * [(HALF_HEAD.encode(), b"X-More: 1\r\n")]
BODIES = 50 * [(HALF_BODY.encode(), b" ")]


def attack(service: Service) -> Iterator[Promise]:
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
