"""Open the clients of all other services."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from app.clients.ideas import IdeaSource
from app.clients.news import NewsClient
from app.clients.weather import WeatherClient
from app.core.clients import ClientSettings
from app.kit.upstream.service import Upstream


@dataclass(frozen=True)
class Clients:
    """The clients that endpoints use."""

    ideas: list[IdeaSource]
    weather: WeatherClient
    news: NewsClient
    deadline_seconds: float


@asynccontextmanager
async def open_clients(settings: ClientSettings) -> AsyncGenerator[Clients]:
    """Yield the clients; close their connections at exit.

    Each client has its own connections: a service that hangs cannot use up those of the others.
    """
    async with AsyncExitStack() as stack:

        def connect(base_url: str, headers: Mapping[str, str] | None = None) -> Upstream:
            upstream = Upstream(base_url, settings, headers)
            stack.push_async_callback(upstream.aclose)
            return upstream

        reddit = settings.ideas_base_url, {"User-Agent": settings.ideas_user_agent}
        yield Clients(
            ideas=[IdeaSource(name, connect(*reddit)) for name in settings.ideas_sources],
            weather=WeatherClient(connect(settings.weather_base_url)),
            news=NewsClient(connect(settings.news_base_url)),
            deadline_seconds=settings.upstream_deadline_seconds,
        )
