"""Settings of the calls to other services."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, NonNegativeInt, StringConstraints, field_validator

from app.kit.settings import BaseAppSettings, Seconds, SecondsOrZero


def check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names; raise ``ValueError`` if one comes twice."""
    if len(set(names)) < len(names):
        raise ValueError("must name each source once")
    return names


def check_base_url(value: str) -> str:
    """Return the URL without its last slash; raise ``ValueError`` unless paths can follow it."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise ValueError("must be a URL that begins with http:// or https://")
    if parts.query or parts.fragment or " " in value or not value.isprintable():
        raise ValueError("must be a URL that paths can follow, without ?, # and spaces")
    if ":" in unquote(parts.username or ""):
        raise ValueError("must have no colon in the name of its user")
    _ = parts.port  # raises ValueError if it is out of range
    return value.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(check_base_url)]
SourceName = Annotated[str, StringConstraints(pattern=r"^\w+$")]


class FanOutSettings(BaseAppSettings):
    """Where the other services are and how long an answer may take."""

    ideas_base_url: BaseUrl = "https://www.reddit.com"
    ideas_sources: Annotated[
        tuple[SourceName, ...], Field(min_length=1), AfterValidator(check_distinct)
    ] = ("recipes", "easyrecipes", "TopSecretRecipes")
    # Reddit refuses the default names of HTTP libraries.
    ideas_user_agent: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] = "recipe-ideas/0.1"
    weather_base_url: BaseUrl = "https://wttr.in"
    news_base_url: BaseUrl = "https://hn.algolia.com"

    upstream_timeout_seconds: Seconds = 5
    upstream_deadline_seconds: Seconds = 6
    upstream_retries: NonNegativeInt = 0
    upstream_cache_seconds: SecondsOrZero = 60
    upstream_connections: Annotated[int, Field(ge=1)] = 64

    @field_validator("ideas_sources", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Take a list separated by commas."""
        if isinstance(value, str):
            return tuple(name for part in value.split(",") if (name := part.strip()))
        return value
