"""200 requests at once of a client that may send 100."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from soak.service import Promise, Service, serving

REQUESTS = 200
ALLOWED = 100
# Behind the proxy that this machine is taken for, so that nobody else's requests count.
CLIENT = {"X-Forwarded-For": "203.0.113.7"}


def attack(database_url: str) -> Iterator[Promise]:
    """Ask a process of its own, because the others' limit is out of reach."""
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
