"""What counts the requests of a client: this process, or a Redis that all processes share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.kit.rate_limit.memory import InMemoryWindows
from app.kit.rate_limit.policy import Limiter
from app.kit.rate_limit.settings import MEMORY, RateLimitSettings


@asynccontextmanager
async def open_limiter(settings: RateLimitSettings, service: str) -> AsyncGenerator[Limiter]:
    """Yield what counts; the name of the service tells its clients from others in one Redis.

    A request is the first to ask Redis, so that no start depends on it.
    """
    own = InMemoryWindows(settings.rate_limit_seconds)
    uri = settings.rate_limit_storage_uri.get_secret_value()
    if uri == MEMORY:
        yield own
        return
    # Here, because only a service that has a Redis shall load its client.
    from app.kit.rate_limit.redis import FailoverLimiter, RedisWindows, open_client

    async with open_client(uri) as client:
        yield FailoverLimiter(RedisWindows(client, prefix=service), own)
