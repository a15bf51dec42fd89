"""A database that dies, comes back, and stops answering."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

from tests.resilience.check import Check
from tests.resilience.document import USERS
from tests.resilience.load import count_bad, count_lost, load, seconds_until, slowest
from tests.resilience.postgresql import Postgresql
from tests.resilience.service import Service

OUTAGE_SECONDS = 3
FROZEN_SECONDS = 12
REQUESTS = 40
# Waiting for a connection, then for a statement, as the settings of service.py allow, and a margin.
ASYNC_ANSWER_SECONDS = 10
# A thread that waits for the database returns only when the database answers again.
SYNC_ANSWER_SECONDS = FROZEN_SECONDS + 3


def check_outages(service: Service, database: Postgresql, *, is_async: bool) -> Iterator[Check]:
    """Kill the database under load, restart it without load, and freeze it."""
    yield from _kill(service, database)
    yield from _restart(service, database)
    yield from _freeze(service, database, ASYNC_ANSWER_SECONDS if is_async else SYNC_ANSWER_SECONDS)


def _kill(service: Service, database: Postgresql) -> Iterator[Check]:
    with load(service) as clients:
        sleep(2)
        database.kill()
        killed_at = monotonic()
        unready = _wait_for(lambda: not service.is_ready())
        sleep(OUTAGE_SECONDS)
        failed = seconds_until(clients.answers, killed_at, 503)
        database.start()
        started_at = monotonic()
        ready = _wait_for(service.is_ready)
        sleep(2)
    recovered = seconds_until(clients.answers, started_at, 200)
    bad = count_bad(clients.answers, 200, 201, 503)
    lost = count_lost(service, clients.answers)
    yield Check("database killed: seconds until 503", failed, 2)
    yield Check("database killed: seconds until not ready", unready, 2)
    yield Check("database back: seconds until 200", recovered, 2)
    yield Check("database back: seconds until ready", ready, 2)
    yield Check("database killed: answers other than 200, 201, 503", bad, 0)
    yield Check("database killed: writes lost after a 201", lost, 0)


def _restart(service: Service, database: Postgresql) -> Iterator[Check]:
    with load(service):
        sleep(1)
    database.stop()
    database.start()
    with service.client() as client, ThreadPoolExecutor(REQUESTS // 2) as threads:
        asked = [threads.submit(client.get, USERS) for _ in range(REQUESTS)]
        bad = sum(not answer.result().is_success for answer in asked)
    yield Check(f"database restarted: of {REQUESTS} requests failed", bad, 0)


def _freeze(service: Service, database: Postgresql, answer_seconds: float) -> Iterator[Check]:
    with load(service) as clients:
        sleep(1)
        with database.frozen():
            frozen_at = monotonic()
            alive = [_seconds_to_live(service) for _ in range(FROZEN_SECONDS * 5)]
        thawed_at = monotonic()
        sleep(2)
    during = [answer for answer in clients.answers if answer.answered_at > frozen_at]
    recovered = seconds_until(clients.answers, thawed_at, 200)
    bad = count_bad(during, 200, 201, 503)
    yield Check("database frozen: slowest answer in s", slowest(during), answer_seconds)
    yield Check("database frozen: answers other than 200, 201, 503", bad, 0)
    yield Check("database frozen: slowest /health/live in s", max(alive), 1)
    yield Check("database thawed: seconds until 200", recovered, 2)
    yield Check("database frozen: writes lost after a 201", count_lost(service, during), 0)


def _wait_for(condition: Callable[[], bool]) -> float:
    """Return after how many seconds the condition held, or infinity."""
    start = monotonic()
    while not condition():
        if monotonic() - start > SYNC_ANSWER_SECONDS:
            return float("inf")
        sleep(0.05)
    return monotonic() - start


def _seconds_to_live(service: Service) -> float:
    """Ask the liveness probe and return how long the answer took; five times a second."""
    start = monotonic()
    with service.client() as client:
        client.get("/health/live").raise_for_status()
    seconds = monotonic() - start
    sleep(max(0, 0.2 - seconds))
    return seconds
