"""All other services, opened together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from anyio import CapacityLimiter

from app.clients.ideas import IdeaSource, open_idea_sources
from app.clients.news import NewsClient
from app.clients.upstream import Upstream
from app.clients.weather import WeatherClient
from app.core.fan_out import FanOutSettings

if TYPE_CHECKING:
    import httpx2

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
async def open_fan_out(
    settings: FanOutSettings,
    transport: "httpx2.AsyncBaseTransport | None" = None,
) -> AsyncGenerator[FanOut]:
    """Lend clients with pooled connections; ``transport`` is for tests."""
    async with (
        open_idea_sources(settings, transport) as ideas,
        Upstream.open(settings.weather_base_url, settings, transport=transport) as weather,
        Upstream.open(settings.news_base_url, settings, transport=transport) as news,
    ):
        yield FanOut(
            ideas=ideas,
            weather=WeatherClient(weather, settings),
            news=NewsClient(news, settings),
            deadline_seconds=settings.upstream_deadline_seconds,
        )
