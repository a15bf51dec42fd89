"""Open the limiter, which counts in this process or in a Redis that all processes share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.kit.rate_limit.memory import InMemoryWindows
from app.kit.rate_limit.policy import Limiter
from app.kit.rate_limit.settings import MEMORY, RateLimitSettings


@asynccontextmanager
async def open_limiter(settings: RateLimitSettings, service: str) -> AsyncGenerator[Limiter]:
    """Yield the limiter; the name of the service is the prefix of its keys in Redis.

    The first request connects to Redis, so that the start does not depend on it.
    """
    own = InMemoryWindows(settings.rate_limit_seconds)
    uri = settings.rate_limit_storage_uri.get_secret_value()
    if uri == MEMORY:
        yield own
        return
    # Imported here, because a service without Redis does not need its client.
    from app.kit.rate_limit.redis import FailoverLimiter, RedisWindows, open_client

    async with open_client(uri) as client:
        yield FailoverLimiter(RedisWindows(client, prefix=service), own)
