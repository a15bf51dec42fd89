"""Hash and verify passwords with Argon2id, a few at a time."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from pwdlib import PasswordHash

from app.kit.errors import UnavailableError

# One hash takes 64 MiB and all cores: more at once would not be faster.
MAX_CONCURRENT_HASHES = 2
HASH_WAIT_SECONDS = 10

hasher = PasswordHash.recommended()

ResultT = TypeVar("ResultT")


class Passwords:
    """Hashes passwords in a few threads; further requests wait for a bounded time."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(MAX_CONCURRENT_HASHES)
        self._dummy_hash = hasher.hash("")

    async def hash(self, password: str) -> str:
        """Return the hash to store; raise ``UnavailableError`` after a long wait."""
        return await self._run(lambda: hasher.hash(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Compare a password with a stored hash; raise ``UnavailableError`` after a long wait.

        Without a hash, take as long: the response time must not reveal whether an account exists.
        """
        expected = self._dummy_hash if stored is None else stored
        is_equal = await self._run(lambda: hasher.verify(password, expected))
        return is_equal and stored is not None

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            with fail_after(HASH_WAIT_SECONDS):  # a hash that has begun is not cancelled
                return await to_thread.run_sync(work, limiter=self._limiter)
        except TimeoutError:
            raise UnavailableError("too many logins; try again later") from None
