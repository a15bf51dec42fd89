"""Clients that send ordinary requests while a check runs, and the answers that they get."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

import httpx2

from tests.resilience.document import USERS
from tests.resilience.service import PASSWORD, Service

PAUSE_SECONDS = 0.01


class Answer(NamedTuple):
    """The result of a request: its status, 0 without an answer; the address that it stored."""

    asked_at: float
    seconds: float
    status: int
    address: str | None

    @property
    def answered_at(self) -> float:
        """When the answer came, by the monotonic clock in seconds."""
        return self.asked_at + self.seconds


class Load:
    """Clients that send one request after another, each on its own connection."""

    def __init__(self, service: Service) -> None:
        self.answers: list[Answer] = []
        self.is_over = Event()
        self._service = service
        self._new_user = {"name": "Resilience"}
        if service.document.has_login:
            self._new_user["password"] = PASSWORD

    def send(self, *, writes: bool) -> None:
        """Send requests until the load is over, or until the service closes the connection."""
        with self._service.client() as client:
            while not self.is_over.wait(PAUSE_SECONDS):
                if self._ask(client, f"{uuid4().hex}@example.com" if writes else None):
                    return

    def _ask(self, client: httpx2.Client, address: str | None) -> bool:
        """Create the user with this address, or list some; return whether to disconnect."""
        asked_at = monotonic()
        try:
            if address is not None:
                response = client.post(USERS, json=self._new_user | {"email": address})
            else:
                response = client.get(USERS)
        except httpx2.TransportError:
            self.answers.append(Answer(asked_at, monotonic() - asked_at, 0, None))
            return False
        stored = address if response.status_code == 201 else None
        answer = Answer(asked_at, monotonic() - asked_at, response.status_code, stored)
        self.answers.append(answer)
        return response.headers.get("connection") == "close"


@contextmanager
def load(service: Service, *, readers: int = 8, writers: int = 2) -> Generator[Load]:
    """Send ordinary requests for as long as the block runs."""
    current = Load(service)
    with ThreadPoolExecutor(readers + writers) as threads:
        sending = [
            threads.submit(current.send, writes=number < writers)
            for number in range(readers + writers)
        ]
        try:
            yield current
        finally:
            current.is_over.set()
    for client in sending:
        client.result()


def slowest(answers: Sequence[Answer]) -> float:
    """Return how many seconds the slowest answer took."""
    return max(answer.seconds for answer in answers)


def count_bad(answers: Sequence[Answer], *good: int) -> int:
    """Count the answers with another status than these, and the requests without an answer."""
    return sum(answer.status not in good for answer in answers)


def seconds_until(answers: Sequence[Answer], since: float, status: int) -> float:
    """Return after how many seconds the first answer with this status came, or infinity."""
    times = [answer.answered_at for answer in answers if answer.status == status]
    return min((at - since for at in times if at > since), default=float("inf"))


def count_lost(service: Service, answers: Sequence[Answer]) -> int:
    """Count the users that the service said it stored, and does not have."""
    found: set[str] = set()
    after = 0
    with service.client() as client:
        while after is not None:
            page = client.get(USERS, params={"after": after, "limit": 100}).json()
            found |= {user["email"] for user in page["items"]}
            after = page["next_after"]
    stored = {answer.address for answer in answers if answer.address is not None}
    return len(stored - found)
