"""Settings of the calls to other services."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, PositiveInt

from app.kit.settings import BaseAppSettings, Seconds, SecondsOrZero


class UpstreamSettings(BaseAppSettings):
    """How long an answer may take, how long it is kept, and how many calls run at once."""

    upstream_timeout_seconds: Seconds = 5
    upstream_deadline_seconds: Seconds = 6
    upstream_cache_seconds: SecondsOrZero = 60
    upstream_connections: PositiveInt = 64


def check_base_url(value: str) -> str:
    """Return the URL without its last slash; raise ``ValueError`` unless paths can follow it."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise ValueError("must be a URL that begins with http:// or https://")
    if parts.query or parts.fragment or " " in value or not value.isprintable():
        raise ValueError("must be a URL without query, fragment and spaces")
    if ":" in unquote(parts.username or ""):
        raise ValueError("must not have a colon in the user name")
    _ = parts.port  # raises ValueError if it is out of range
    return value.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(check_base_url)]
