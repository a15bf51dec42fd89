"""SIGTERM while clients are at work."""

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from time import monotonic, sleep

from soak.load import count_bad, load
from soak.service import Promise, Service

IDLE = 20


def attack(service: Service) -> Iterator[Promise]:
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
