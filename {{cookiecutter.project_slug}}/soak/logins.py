"""200 logins at once, each of which wants 64 MiB and all cores."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from soak.load import count_bad, load
from soak.service import LOGIN, Promise, Service

LOGINS = 200
NOBODY = {"username": "nobody@example.com", "password": "guessed"}
# Two passwords are hashed at a time, and the requests that wait take some.
GROWTH_MB = 160


def attack(service: Service) -> Iterator[Promise]:
    """Guess passwords, while others read and none of them logs in."""
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
