"""SIGTERM under load."""

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from time import monotonic, sleep

from tests.resilience.check import Check
from tests.resilience.load import count_bad, load
from tests.resilience.service import Service

IDLE_CONNECTIONS = 20


def check_shutdown(service: Service) -> Iterator[Check]:
    """Stop the service under load and with idle connections; it does not come back."""
    took: list[float] = []
    with ExitStack() as stack:
        for _ in range(IDLE_CONNECTIONS):
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
    yield Check("SIGTERM: seconds until not ready", unready, 1)
    lost = count_bad(others.answers, 200, 201)
    yield Check("SIGTERM: accepted requests that were lost", lost, 0)
    yield Check("SIGTERM: seconds until the process ended", took[0], 25)
