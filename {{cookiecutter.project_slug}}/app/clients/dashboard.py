"""What the dashboard shows: the weather, from wttr.in, and the news, from Hacker News."""

from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, Field

from app.clients.upstream import Upstream, cached
from app.core.fan_out import FanOutSettings
from app.schemas.fan_out import Story, Weather

STORIES = 5


class WeatherClient:
    """Tells the weather of a city."""

    def __init__(self, upstream: Upstream, settings: FanOutSettings) -> None:
        self._upstream = upstream
        self.fetch = cached(self._fetch, settings)

    async def _fetch(self, city: str) -> Weather:
        """Return the weather now; raise ``UpstreamError`` or ``TimeoutError``."""
        url = self._upstream.url(f"/{quote(city, safe='')}", {"format": "j1"})
        report = await self._upstream.get(url, WeatherReport)
        now = report.current_condition[0]
        return Weather(
            description=now.description[0].value,
            temperature_celsius=now.temperature,
            feels_like_celsius=now.feels_like,
            humidity_percent=now.humidity,
            wind_kmh=now.wind,
        )


class NewsClient:
    """Tells what is on the front page."""

    def __init__(self, upstream: Upstream, settings: FanOutSettings) -> None:
        self._upstream = upstream
        params = {"tags": "front_page", "hitsPerPage": STORIES}
        self._url = upstream.url("/api/v1/search", params)
        self.fetch = cached(self._fetch, settings)

    async def _fetch(self) -> list[Story]:
        """Return the first stories; raise ``UpstreamError`` or ``TimeoutError``."""
        page = await self._upstream.get(self._url, FrontPage)
        return [Story(title=hit.title, url=hit.url, points=hit.points or 0) for hit in page.hits]


FiniteNumber = Annotated[float, Field(allow_inf_nan=False)]


class Description(BaseModel):
    """The weather in words."""

    value: str


class Condition(BaseModel):
    """What we use of the present weather, in wttr.in's format; its numbers are strings."""

    description: Annotated[list[Description], Field(alias="weatherDesc", min_length=1)]
    temperature: Annotated[FiniteNumber, Field(alias="temp_C")]
    feels_like: Annotated[FiniteNumber, Field(alias="FeelsLikeC")]
    humidity: FiniteNumber
    wind: Annotated[FiniteNumber, Field(alias="windspeedKmph")]


class WeatherReport(BaseModel):
    """The envelope of the weather."""

    current_condition: Annotated[list[Condition], Field(min_length=1)]


class StoryHit(BaseModel):
    """What we use of a story, in the format of Hacker News' search; some link to nothing."""

    title: str
    url: str | None = None
    points: int | None = None


class FrontPage(BaseModel):
    """The envelope of stories."""

    hits: list[StoryHit]
