"""Clients that send a byte at a time (slowloris)."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic, sleep

from tests.resilience.check import Check
from tests.resilience.document import USERS
from tests.resilience.load import count_bad, load, slowest
from tests.resilience.service import Service

HEAD = f"POST {USERS} HTTP/1.1\r\nHost: resilience\r\nContent-Type: application/json\r\n"
SECONDS = 20
# What each slow client sends at first, and then every second.
HEADS = 200 * [(HEAD.encode(), b"X-More: 1\r\n")]
BODIES = 50 * [(f"{HEAD}Content-Length: 1000\r\n\r\n".encode(), b" ")]


def check_slow_clients(service: Service) -> Iterator[Check]:
    """Keep 250 slow clients connected for 20 seconds, while others send ordinary requests."""
    with ExitStack() as stack:
        slow = [
            (stack.enter_context(service.connect(first)), drop) for first, drop in HEADS + BODIES
        ]
        with load(service) as others:
            give_up_at = monotonic() + SECONDS
            while monotonic() < give_up_at:
                slow = [(connection, drop) for connection, drop in slow if _drip(connection, drop)]
                sleep(1)
    bad = count_bad(others.answers, 200, 201)
    yield Check("250 slow clients: still connected after 20 s", len(slow), 0)
    yield Check("250 slow clients: others' requests that failed", bad, 0)
    text = "250 slow clients: slowest of others' requests in s"
    yield Check(text, slowest(others.answers), 2)


def _drip(connection: socket.socket, drop: bytes) -> bool:
    """Send a little more; return whether the service still accepts it."""
    try:
        connection.sendall(drop)
    except ConnectionError:
        return False
    return True
