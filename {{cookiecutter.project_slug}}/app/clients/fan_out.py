"""All other services; one that fails must not take the others' answers with it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from anyio import CapacityLimiter

from app.clients.dashboard import NewsClient, WeatherClient
from app.clients.ideas import IdeaSource, open_idea_sources
from app.clients.upstream import Upstream, UpstreamError
from app.core.fan_out import FanOutSettings
from app.schemas.fan_out import Part

DataT = TypeVar("DataT")
# Apart from the threads of the endpoints, which must not wait for services that hang.
BLOCKING_THREADS = 20


@dataclass(frozen=True)
class FanOut:
    """The services that endpoints ask."""

    ideas: list[IdeaSource]
    weather: WeatherClient
    news: NewsClient
    deadline_seconds: float

    @cached_property
    def threads(self) -> CapacityLimiter:
        """Count threads when the first is needed: it loads 10 ms of anyio."""
        return CapacityLimiter(BLOCKING_THREADS)


@asynccontextmanager
async def open_fan_out(settings: FanOutSettings) -> AsyncGenerator[FanOut]:
    """Lend clients with pooled connections."""
    async with (
        open_idea_sources(settings) as ideas,
        Upstream.open(settings.weather_base_url, settings) as weather,
        Upstream.open(settings.news_base_url, settings) as news,
    ):
        yield FanOut(
            ideas=ideas,
            weather=WeatherClient(weather, settings),
            news=NewsClient(news, settings),
            deadline_seconds=settings.upstream_deadline_seconds,
        )


async def attempt(answer: Awaitable[DataT], deadline: float) -> Part[DataT]:
    """Wait for an answer until ``deadline``, a time of the event loop's clock in seconds."""
    try:
        async with asyncio.timeout_at(deadline):
            return Part(status="ok", data=await answer)
    except TimeoutError:
        return Part(status="timeout", detail="no answer in time")
    except UpstreamError as error:
        return Part(status="error", detail=str(error))
