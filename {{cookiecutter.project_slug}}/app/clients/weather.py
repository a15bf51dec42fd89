"""The weather, from wttr.in."""

from typing import Any
from urllib.parse import quote

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from app.kit.upstream.service import Upstream
from app.schemas.dashboard import Weather


class WeatherClient:
    """The weather of a city."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.fetch = upstream.cached(self._fetch)

    async def _fetch(self, city: str) -> Weather:
        """Return the current weather; raise ``UpstreamError`` or ``TimeoutError``."""
        path = f"/{quote(city, safe='')}"
        report = await self._upstream.get(path, {"format": "j1"}, WeatherReport)
        return Weather(**report.model_dump())


def now(*field: str | int) -> Any:  # noqa: ANN401 (as pydantic's Field)
    """Return a field of the current weather in wttr.in's format."""
    return Field(validation_alias=AliasPath("current_condition", 0, *field))


class WeatherReport(BaseModel):
    """The fields that the service uses, in wttr.in's format, where numbers are strings."""

    model_config = ConfigDict(allow_inf_nan=False)

    description: str = now("weatherDesc", 0, "value")
    temperature_celsius: float = now("temp_C")
    feels_like_celsius: float = now("FeelsLikeC")
    humidity_percent: float = now("humidity")
    wind_kmh: float = now("windspeedKmph")
