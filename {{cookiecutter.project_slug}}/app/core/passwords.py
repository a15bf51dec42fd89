"""Passwords, hashed with Argon2id: away from the event loop, few at a time."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from pwdlib import PasswordHash

from app.core.errors import UnavailableError

# Each takes 64 MiB and all cores; more at a time would be no faster.
AT_ONCE = 2
WAIT_SECONDS = 10

ResultT = TypeVar("ResultT")

algorithm = PasswordHash.recommended()


class Passwords:
    """Hashes and checks in threads of its own; the rest wait, for a bounded time."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(AT_ONCE)
        self._of_nobody = algorithm.hash("")

    async def hash(self, password: str) -> str:
        """Return what can be stored; raise ``UnavailableError`` if too many wait."""
        return await self._in_turn(lambda: algorithm.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Compare with a stored hash; without one it takes as long, so that nobody can tell."""
        expected = self._of_nobody if stored is None else stored
        is_equal = await self._in_turn(lambda: algorithm.verify(password, expected))
        return is_equal and stored is not None

    async def _in_turn(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            with fail_after(WAIT_SECONDS):  # work that has begun is not given up
                return await to_thread.run_sync(work, limiter=self._limiter)
        except TimeoutError:
            raise UnavailableError("too many passwords wait to be checked") from None
