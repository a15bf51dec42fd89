"""Count requests in a Redis that all processes share, or in each process while it is unavailable."""

import asyncio
import logging
from math import ceil
from time import monotonic

from redis import RedisError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.kit.rate_limit.policy import Limiter, LimitStatus, Rule

CONNECTIONS = 20
# Timeout of a request that waits for Redis, and the pause before the next try after a failure.
PATIENCE_SECONDS = 0.5
PAUSE_SECONDS = 5
# A list of times in microseconds, the oldest first. The clock is that of Redis: those of the
# processes may differ. Scripts may ask for the time since Redis 5.
COUNT = """
local clock = redis.call("TIME")
local now, window = clock[1] * 1e6 + clock[2], ARGV[2] * 1e6
local oldest = redis.call("LINDEX", KEYS[1], 0)
while oldest and oldest + window <= now do
    redis.call("LPOP", KEYS[1])
    oldest = redis.call("LINDEX", KEYS[1], 0)
end
local remaining = ARGV[1] - redis.call("LLEN", KEYS[1])
if remaining <= 0 then
    return {0, 0, oldest + window - now}
end
redis.call("RPUSH", KEYS[1], string.format("%.0f", now))
redis.call("EXPIRE", KEYS[1], ARGV[2])
return {1, remaining - 1, (oldest or now) + window - now}
"""

logger = logging.getLogger(__name__)


def open_client(uri: str) -> Redis:
    """Return a client with a short timeout and without retries."""
    pool = BlockingConnectionPool.from_url(
        uri,
        max_connections=CONNECTIONS,
        socket_connect_timeout=PATIENCE_SECONDS,  # for disconnecting, too
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


class RedisWindows:
    """Sliding windows in Redis."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self._prefix = prefix
        self._count = client.register_script(COUNT)

    async def count(self, rule: Rule, client: str) -> LimitStatus:
        """Count a request, unless the rule rejects it, in one round trip; raise ``RedisError``."""
        key = f"{self._prefix}:{rule.name}:{client}"
        answer = await self._count(keys=[key], args=[rule.requests, rule.seconds])
        is_allowed, remaining, reset = answer
        return LimitStatus(rule, bool(is_allowed), remaining, max(1, ceil(reset / 1e6)))


class FailoverLimiter:
    """Counts in Redis, and by the same rules in this process while Redis is unavailable.

    A limit per process is better than no limit, and than a service that fails with Redis.
    """

    def __init__(self, shared: Limiter, own: Limiter) -> None:
        self._shared = shared
        self._own = own
        self._is_unavailable = False
        self._ask_again_at = 0.0
        # Requests wait here: a timeout of the pool would look like an outage of Redis.
        self._connections = asyncio.Semaphore(CONNECTIONS)

    async def count(self, rule: Rule, client: str) -> LimitStatus:
        """Count a request, unless the rule rejects it.

        Wait up to ``PATIENCE_SECONDS`` for a turn, and then as long for Redis.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._connections.acquire()
        except TimeoutError:  # many requests wait, which says nothing about Redis
            return await self._own.count(rule, client)
        try:
            if self._should_ask():
                async with asyncio.timeout(PATIENCE_SECONDS):
                    status = await self._shared.count(rule, client)
                self._note_answer()
                return status
        except (OSError, RedisError) as error:
            self._note_failure(error)
        finally:
            self._connections.release()
        return await self._own.count(rule, client)

    def _should_ask(self) -> bool:
        """Return whether Redis is available, or this request should check whether it is."""
        if self._is_unavailable:
            if monotonic() < self._ask_again_at:
                return False
            self._ask_again_at = monotonic() + PAUSE_SECONDS
        return True

    def _note_failure(self, error: Exception) -> None:
        self._ask_again_at = monotonic() + PAUSE_SECONDS
        if not self._is_unavailable:
            self._is_unavailable = True
            extra = {"error": type(error).__name__}
            logger.warning("Redis is unavailable: each process counts by itself", extra=extra)

    def _note_answer(self) -> None:
        if self._is_unavailable:
            self._is_unavailable = False
            logger.info("Redis is available again")
