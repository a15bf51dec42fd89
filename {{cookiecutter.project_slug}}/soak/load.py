"""Clients that behave: they ask one after another, each on a connection that it keeps."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

import httpx2

# {% if cookiecutter.auth %}
from soak.service import PASSWORD, Service
# {% else %}
from soak.service import Service
# {% endif %}

USERS = "/api/v1/users/"
PAUSE_SECONDS = 0.01
# {% if cookiecutter.auth %}
NEW_USER = {"name": "Soak", "password": PASSWORD}
# {% else %}
NEW_USER = {"name": "Soak"}
# {% endif %}


class Answer(NamedTuple):
    """What came of a request: a status, or 0 if there was no answer; ``address`` if it stores one."""

    asked_at: float
    seconds: float
    status: int
    address: str | None

    @property
    def answered_at(self) -> float:
        """When it was there, by the monotonic clock in seconds."""
        return self.asked_at + self.seconds


class Load:
    """The answers to all clients so far."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.is_over = Event()

    def send(self, service: Service, *, writes: bool) -> None:
        """Go on until the load is over, or until the service asks to leave."""
        with service.client() as client:
            while not self.is_over.wait(PAUSE_SECONDS):
                answer, is_asked_to_leave = _ask(client, f"{uuid4().hex}@example.com" * writes)
                self.answers.append(answer)
                if is_asked_to_leave:
                    return


@contextmanager
def load(service: Service, *, readers: int = 8, writers: int = 2) -> Generator[Load]:
    """Send requests for as long as the block runs."""
    current = Load()
    with ThreadPoolExecutor(readers + writers) as threads:
        sending = [
            threads.submit(current.send, service, writes=number < writers)
            for number in range(readers + writers)
        ]
        try:
            yield current
        finally:
            current.is_over.set()
    for client in sending:
        client.result()


def _ask(client: httpx2.Client, address: str) -> tuple[Answer, bool]:
    """Create the user with this address, or list some."""
    asked_at = monotonic()
    try:
        if address:
            response = client.post(USERS, json=NEW_USER | {"email": address})
        else:
            response = client.get(USERS)
    except httpx2.TransportError:
        return Answer(asked_at, monotonic() - asked_at, 0, None), False
    stored = address if response.status_code == 201 else None
    is_asked_to_leave = response.headers.get("connection") == "close"
    return Answer(asked_at, monotonic() - asked_at, response.status_code, stored), is_asked_to_leave


def count_bad(answers: Sequence[Answer], *good: int) -> int:
    """Count the answers with another status than these, and the requests without an answer."""
    return sum(answer.status not in good for answer in answers)


def count_lost(service: Service, answers: Sequence[Answer]) -> int:
    """Count what the service said it stored, and does not have."""
    found: set[str] = set()
    after = 0
    with service.client() as client:
        while after is not None:
            page = client.get(USERS, params={"after": after, "limit": 100}).json()
            found |= {user["email"] for user in page["items"]}
            after = page["next_after"]
    return len({answer.address for answer in answers if answer.address} - found)
