"""A dashboard, combined from other services."""

from pydantic import BaseModel

from app.kit.upstream.results import Part


class Weather(BaseModel):
    """The current weather."""

    description: str
    temperature_celsius: float
    feels_like_celsius: float
    humidity_percent: float
    wind_kmh: float


class Story(BaseModel):
    """A story in the news."""

    title: str
    url: str | None
    points: int


class Dashboard(BaseModel):
    """A city's weather, and the news."""

    city: str
    weather: Part[Weather]
    news: Part[list[Story]]
