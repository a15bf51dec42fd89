"""The weather, from wttr.in."""

from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, Field

from app.clients.upstream import Upstream, cached
from app.core.fan_out import FanOutSettings
from app.schemas.fan_out import Weather


class WeatherClient:
    """Tells the weather of a city."""

    def __init__(self, upstream: Upstream, settings: FanOutSettings) -> None:
        self._upstream = upstream
        self.fetch = cached(self._fetch, settings)

    async def _fetch(self, city: str) -> Weather:
        """Return the weather now; raise ``UpstreamError`` or ``TimeoutError``."""
        url = self._upstream.url(f"/{quote(city, safe='')}", {"format": "j1"})
        report = await self._upstream.get(url, Report)
        now = report.current_condition[0]
        return Weather(
            description=now.description[0].value,
            temperature_celsius=now.temperature,
            feels_like_celsius=now.feels_like,
            humidity_percent=now.humidity,
            wind_kmh=now.wind,
        )


Number = Annotated[float, Field(allow_inf_nan=False)]


class Description(BaseModel):
    """The weather in words."""

    value: str


class Condition(BaseModel):
    """What we use of the present weather, in wttr.in's format; its numbers are strings."""

    description: Annotated[list[Description], Field(alias="weatherDesc", min_length=1)]
    temperature: Annotated[Number, Field(alias="temp_C")]
    feels_like: Annotated[Number, Field(alias="FeelsLikeC")]
    humidity: Number
    wind: Annotated[Number, Field(alias="windspeedKmph")]


class Report(BaseModel):
    """The envelope."""

    current_condition: Annotated[list[Condition], Field(min_length=1)]
