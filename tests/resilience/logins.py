"""Many logins at once, each of which needs 64 MiB and all cores."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.resilience.check import Check
from tests.resilience.document import LOGIN
from tests.resilience.load import count_bad, load, slowest
from tests.resilience.service import Service

LOGINS = 200
UNKNOWN_USER = {"username": "nobody@example.com", "password": "guessed"}
# The service hashes two passwords at a time, and waiting requests need some memory, too.
GROWTH_MB = 160


def check_many_logins(service: Service) -> Iterator[Check]:
    """Guess passwords 200 times at once, while others read."""
    before_mb = largest_mb = service.memory_mb()
    with load(service, writers=0) as others, ThreadPoolExecutor(LOGINS) as threads:
        guesses = [threads.submit(_guess, service) for _ in range(LOGINS)]
        while not all(guess.done() for guess in guesses):
            largest_mb = max(largest_mb, service.memory_mb())
    bad = sum(guess.result() not in {401, 503} for guess in guesses)
    failed = count_bad(others.answers, 200)
    growth_mb = largest_mb - before_mb
    yield Check(f"{LOGINS} logins at once: growth of memory in MB", growth_mb, GROWTH_MB)
    yield Check(f"{LOGINS} logins at once: answers other than 401, 503", bad, 0)
    yield Check(f"{LOGINS} logins at once: others' requests that failed", failed, 0)
    text = f"{LOGINS} logins at once: slowest of others' requests in s"
    yield Check(text, slowest(others.answers), 2)


def _guess(service: Service) -> int:
    """Return the status of the answer."""
    with service.client() as client:
        return client.post(LOGIN, data=UNKNOWN_USER).status_code
