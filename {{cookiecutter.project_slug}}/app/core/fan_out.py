"""Settings of the calls to other services."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, field_validator
from pydantic_settings import NoDecode

from app.core.environment import BaseUrl, EnvironmentSettings


class FanOutSettings(EnvironmentSettings):
    """Where the other services are and how long an answer may take."""

    ideas_base_url: BaseUrl = "https://www.reddit.com"
    ideas_sources: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = (
        "recipes",
        "easyrecipes",
        "TopSecretRecipes",
    )
    # Reddit refuses the default names of HTTP libraries.
    ideas_user_agent: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] = "recipe-ideas/0.1"
    weather_base_url: BaseUrl = "https://wttr.in"
    news_base_url: BaseUrl = "https://hn.algolia.com"

    upstream_timeout_seconds: PositiveFloat = 5
    upstream_deadline_seconds: PositiveFloat = 6
    upstream_retries: NonNegativeInt = 0
    upstream_cache_seconds: NonNegativeFloat = 60
    upstream_connections: Annotated[int, Field(ge=1)] = 64

    @field_validator("ideas_sources", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Take a list separated by commas."""
        if isinstance(value, str):
            return tuple(name for part in value.split(",") if (name := part.strip()))
        return value
