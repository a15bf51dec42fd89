"""More requests at once than the rate limit allows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.resilience.check import Check
from tests.resilience.service import Service, StartCommand, running

REQUESTS = 200
ALLOWED = 100
# This machine counts as a proxy; the checks' other requests come from another client.
CLIENT = {"X-Forwarded-For": "203.0.113.7"}


def check_rate_limit(command: StartCommand, database_url: str) -> Iterator[Check]:
    """Send 200 requests at once to a process that allows 100."""
    together = Barrier(REQUESTS)
    with (
        running(command, database_url, RATE_LIMIT_REQUESTS=str(ALLOWED)) as service,
        ThreadPoolExecutor(REQUESTS) as threads,
    ):
        asked = [threads.submit(_ask, service, together) for _ in range(REQUESTS)]
        statuses = [answer.result() for answer in asked]
    refused = statuses.count(429)
    wrong = abs(REQUESTS - ALLOWED - refused)
    yield Check(f"{REQUESTS} requests of {ALLOWED}: too many or too few refused", wrong, 0)
    lost = REQUESTS - refused - statuses.count(404)
    yield Check(f"{REQUESTS} requests of {ALLOWED}: answers other than 404, 429", lost, 0)


def _ask(service: Service, together: Barrier) -> int:
    """Return the status of the answer."""
    with service.client() as client:
        together.wait()
        return client.get("/nowhere", headers=CLIENT).status_code
