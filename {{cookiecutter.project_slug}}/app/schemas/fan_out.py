"""Answers that are put together from several other services."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

DataT = TypeVar("DataT")

Status = Literal["ok", "error", "timeout"]


class Part(BaseModel, Generic[DataT]):
    """What one service contributed, or why it did not."""

    status: Status
    data: DataT | None = None
    detail: str | None = None


class SourceIdeas(BaseModel):
    """The ideas of one source, each as ``score: title (link)``."""

    name: str
    status: Status
    ideas: list[str]
    detail: str | None


class Ideas(BaseModel):
    """Ideas for recipes, by source."""

    sources: list[SourceIdeas]


class Weather(BaseModel):
    """The weather now."""

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
