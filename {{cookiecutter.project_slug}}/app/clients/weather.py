"""The weather, from wttr.in."""

from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, Field

from app.kit.upstream.service import Upstream
from app.schemas.dashboard import Weather


class WeatherClient:
    """The weather of a city."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.fetch = upstream.cached(self._fetch)

    async def _fetch(self, city: str) -> Weather:
        """Return the weather now; raise ``UpstreamError`` or ``TimeoutError``."""
        path = f"/{quote(city, safe='')}"
        report = await self._upstream.get(path, {"format": "j1"}, WeatherReport)
        now = report.current_condition[0]
        return Weather(
            description=now.description[0].value,
            temperature_celsius=now.temperature,
            feels_like_celsius=now.feels_like,
            humidity_percent=now.humidity,
            wind_kmh=now.wind,
        )


FiniteNumber = Annotated[float, Field(allow_inf_nan=False)]


class Description(BaseModel):
    """The weather in words."""

    value: str


class Condition(BaseModel):
    """The fields of the present weather that are used, in wttr.in's format: numbers as strings."""

    description: Annotated[list[Description], Field(alias="weatherDesc", min_length=1)]
    temperature: Annotated[FiniteNumber, Field(alias="temp_C")]
    feels_like: Annotated[FiniteNumber, Field(alias="FeelsLikeC")]
    humidity: FiniteNumber
    wind: Annotated[FiniteNumber, Field(alias="windspeedKmph")]


class WeatherReport(BaseModel):
    """The envelope of the weather."""

    current_condition: Annotated[list[Condition], Field(min_length=1)]
