"""Clients that want more than there is, many at once, and a process that stops under load."""

import socket
from collections.abc import Iterator
# {% if cookiecutter.auth or cookiecutter.rate_limit %}
from concurrent.futures import ThreadPoolExecutor
# {% endif %}
from contextlib import ExitStack, suppress
# {% if cookiecutter.rate_limit %}
from threading import Barrier, Thread
# {% else %}
from threading import Thread
# {% endif %}
from time import monotonic, sleep

from soak.service import (
    # {% if cookiecutter.auth %}
    LOGIN,
    # {% endif %}
    USERS,
    Promise,
    Service,
    count_bad,
    load,
    # {% if cookiecutter.rate_limit %}
    serving,
    # {% endif %}
)

HEAD = f"POST {USERS} HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
CHUNK = b" " * 65_536
TOTAL_BYTES = 100_000_000
DECLARED = f"{HEAD}Content-Length: {TOTAL_BYTES}\r\n\r\n".encode()
CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
SECONDS = 20
# What each slow client sends at first, and then every second.
HEADS = 200 * [(HEAD.encode(), b"X-More: 1\r\n")]
BODIES = 50 * [(f"{HEAD}Content-Length: 1000\r\n\r\n".encode(), b" ")]
# {% if cookiecutter.auth %}
LOGINS = 200
NOBODY = {"username": "nobody@example.com", "password": "guessed"}
# Two passwords are hashed at a time, and the requests that wait take some.
GROWTH_MB = 160
# {% endif %}
# {% if cookiecutter.rate_limit %}
REQUESTS = 200
ALLOWED = 100
# Behind the proxy that this machine is taken for, so that nobody else's requests count.
CLIENT = {"X-Forwarded-For": "203.0.113.7"}
# {% endif %}
IDLE = 20


def send_too_much(service: Service) -> Iterator[Promise]:
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


def come_to_no_point(service: Service) -> Iterator[Promise]:
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


# {% if cookiecutter.auth %}
def guess_passwords(service: Service) -> Iterator[Promise]:
    """Log in 200 times at once, each of which wants 64 MiB and all cores, while others read."""
    before_mb = largest_mb = service.memory_mb()
    with load(service, writers=0) as others, ThreadPoolExecutor(LOGINS) as threads:
        guesses = [threads.submit(_guess, service) for _ in range(LOGINS)]
        while not all(guess.done() for guess in guesses):
            largest_mb = max(largest_mb, service.memory_mb())
    bad = sum(guess.result() not in {401, 503} for guess in guesses)
    slowest = max(answer.seconds for answer in others.answers)
    failed = count_bad(others.answers, 200)
    growth_mb = largest_mb - before_mb
    yield Promise(f"{LOGINS} logins at once: growth of memory in MB", growth_mb, GROWTH_MB)
    yield Promise(f"{LOGINS} logins at once: answers other than 401, 503", bad, 0)
    yield Promise(f"{LOGINS} logins at once: others' requests that failed", failed, 0)
    yield Promise(f"{LOGINS} logins at once: slowest of others' requests in s", slowest, 2)


def _guess(service: Service) -> int:
    """Return the status of the answer."""
    with service.client() as client:
        return client.post(LOGIN, data=NOBODY).status_code


# {% endif %}
# {% if cookiecutter.rate_limit %}
def exceed_limit(database_url: str) -> Iterator[Promise]:
    """Ask 200 times at once a process that allows 100; the others' limit is out of reach."""
    together = Barrier(REQUESTS)
    with (
        serving(database_url, RATE_LIMIT_REQUESTS=str(ALLOWED)) as service,
        ThreadPoolExecutor(REQUESTS) as threads,
    ):
        asked = [threads.submit(_ask, service, together) for _ in range(REQUESTS)]
        statuses = [answer.result() for answer in asked]
    refused = statuses.count(429)
    wrong = abs(REQUESTS - ALLOWED - refused)
    yield Promise(f"{REQUESTS} requests of {ALLOWED}: too many or too few refused", wrong, 0)
    lost = REQUESTS - refused - statuses.count(404)
    yield Promise(f"{REQUESTS} requests of {ALLOWED}: answers other than 404, 429", lost, 0)


def _ask(service: Service, together: Barrier) -> int:
    """Return the status of the answer."""
    with service.client() as client:
        together.wait()
        return client.get("/nowhere", headers=CLIENT).status_code


# {% endif %}
def stop(service: Service) -> Iterator[Promise]:
    """Stop the service, which does not come back, under load and with idle connections open."""
    took: list[float] = []
    with ExitStack() as stack:
        for _ in range(IDLE):
            stack.enter_context(service.connect())
        with load(service) as others:
            sleep(2)
            stopping = Thread(target=lambda: took.append(service.stop()))
            asked_at = monotonic()
            stopping.start()
            while stopping.is_alive() and service.is_ready():
                sleep(0.02)
            unready = monotonic() - asked_at
            stopping.join()
    yield Promise("SIGTERM: seconds until not ready", unready, 1)
    lost = count_bad(others.answers, 200, 201)
    yield Promise("SIGTERM: accepted requests that were lost", lost, 0)
    yield Promise("SIGTERM: seconds until the process ended", took[0], 25)
