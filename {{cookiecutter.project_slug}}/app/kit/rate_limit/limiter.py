"""What counts the requests of a client: this process, or a Redis that all processes share."""

import asyncio
import logging
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from time import monotonic, time
from typing import NamedTuple

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from redis import RedisError
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core.about import ABOUT
from app.kit.rate_limit.settings import MEMORY, RateLimitSettings

# 50 MB if each of them is full of 100 requests.
MAX_WINDOWS = 50_000
CONNECTIONS = 20
# How long a request waits for Redis, and how long Redis is left alone when it did not answer.
PATIENCE_SECONDS = 0.5
PAUSE_SECONDS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rule:
    """At most so many requests of a client in any ``seconds``, to one path or to all together."""

    name: str
    requests: int
    seconds: int
    path: str | None = None

    @cached_property
    def item(self) -> RateLimitItem:
        """The rule in the words of ``limits``."""
        return RateLimitItemPerSecond(self.requests, self.seconds, namespace=self.name)


class Standing(NamedTuple):
    """Where a client stands with a rule; the first place gets free after ``reset_seconds``."""

    rule: Rule
    is_allowed: bool
    remaining: int
    reset_seconds: int


class Limiter:
    """Counts in one storage."""

    def __init__(self, storage: Storage) -> None:
        self._windows = MovingWindowRateLimiter(storage)

    async def count(self, rule: Rule, client: str) -> Standing:
        """Count a request, unless the rule refuses it."""
        is_allowed = await self._windows.hit(rule.item, client)
        reset_time, remaining = await self._windows.get_window_stats(rule.item, client)
        reset_seconds = max(1, ceil(reset_time - time()))
        return Standing(rule, is_allowed, remaining if is_allowed else 0, reset_seconds)


class SharedLimiter(Limiter):
    """Counts in Redis, and while that is away by the same rules in this process.

    A limit of each process is better than none, and than a service that stops with its limiter.
    """

    def __init__(self, shared: Storage, own: Storage) -> None:
        super().__init__(shared)
        self._own = Limiter(own)
        self._is_away = False
        self._ask_again_at = 0.0
        # Requests wait here, not in the pool, where it would look as if Redis were away.
        self._connections = asyncio.Semaphore(CONNECTIONS)

    async def count(self, rule: Rule, client: str) -> Standing:
        """Count a request, unless the rule refuses it.

        It waits ``PATIENCE_SECONDS`` for its turn, and then as long for Redis.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._connections.acquire()
        except TimeoutError:  # many wait, which says nothing about Redis
            return await self._own.count(rule, client)
        try:
            if self._should_ask():
                async with asyncio.timeout(PATIENCE_SECONDS):
                    standing = await super().count(rule, client)
                self._note_answer()
                return standing
        except (OSError, RedisError) as error:
            self._note_failure(error)
        finally:
            self._connections.release()
        return await self._own.count(rule, client)

    def _should_ask(self) -> bool:
        """Tell whether Redis is there, or it is time for one request to see if it is."""
        if self._is_away:
            if monotonic() < self._ask_again_at:
                return False
            self._ask_again_at = monotonic() + PAUSE_SECONDS
        return True

    def _note_failure(self, error: Exception) -> None:
        self._ask_again_at = monotonic() + PAUSE_SECONDS
        if not self._is_away:
            self._is_away = True
            extra = {"error": type(error).__name__}
            logger.warning("Redis is unavailable: each process counts alone", extra=extra)

    def _note_answer(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.info("Redis is available: all processes count together")


class RecentWindows(MemoryStorage):
    """Moving windows of the clients that were counted last.

    The storage of ``limits`` walks through all clients, with a thread for each, whenever one
    comes, and has no bound. This one forgets who sent nothing for ``keep_seconds``, the length of
    the longest window, and beyond ``MAX_WINDOWS`` who was counted longest ago.
    """

    STORAGE_SCHEME = None

    def __init__(self, keep_seconds: float) -> None:
        super().__init__()
        self._keep_seconds = keep_seconds
        # Times in seconds since some start, ascending; the window with the oldest last one is first.
        self._windows: OrderedDict[str, array[float]] = OrderedDict()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request unless the window is full; it awaits nothing, so none comes between."""
        now = monotonic()
        window = self._current(key, now - expiry)
        if len(window) + amount > limit:
            return False
        window.extend([now] * amount)
        self._windows[key] = window
        self._windows.move_to_end(key)
        self._forget(now - self._keep_seconds)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the first time in the window, in seconds since the epoch, and the length."""
        now = monotonic()
        window = self._current(key, now - expiry)
        # Clocks may be set; what is stored comes from one that is not.
        return time() - (now - window[0] if window else 0), len(window)

    def _current(self, key: str, since: float) -> "array[float]":  # Python 3.11 needs the quotes
        window = self._windows.get(key, array("d"))
        return window[bisect_right(window, since) :]

    def _forget(self, since: float) -> None:
        """Drop from the front, where the clients are that have been quiet for longest."""
        while len(self._windows) > MAX_WINDOWS or next(iter(self._windows.values()))[-1] <= since:
            self._windows.popitem(last=False)


@asynccontextmanager
async def open_limiter(settings: RateLimitSettings) -> AsyncGenerator[Limiter]:
    """Lend what counts. Redis is first asked by a request, so that no start depends on it."""
    own = RecentWindows(settings.rate_limit_seconds)
    uri = settings.rate_limit_storage_uri.get_secret_value()
    if uri == MEMORY:
        yield Limiter(own)
        return
    pool = BlockingConnectionPool.from_url(
        uri,
        max_connections=CONNECTIONS,
        socket_connect_timeout=PATIENCE_SECONDS,  # for disconnecting, too
        retry=Retry(NoBackoff(), 0),
    )
    async with pool:
        shared = RedisStorage(
            "redis://",
            implementation="redispy",
            key_prefix=ABOUT.title,  # for services that share a Redis
            connection_pool=pool,  # ty: ignore[invalid-argument-type] as documented, not as typed
        )
        yield SharedLimiter(shared, own)
