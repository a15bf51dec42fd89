"""Settings of what every request passes through."""

import re

from pydantic import PositiveInt, field_validator

from app.kit.settings import BaseAppSettings

# As browsers send them: another spelling would never match.
ORIGIN = re.compile(r"(?!http:.*:80$|https:.*:443$)https?://[a-z0-9._:\[\]-]+")
HEADER = re.compile(r"[A-Za-z0-9_-]+")


class HttpSettings(BaseAppSettings):
    """Which origins may call, how large a body may be, and whether the API is documented."""

    backend_cors_origins: tuple[str, ...] = ()
    backend_cors_headers: tuple[str, ...] = ()
    max_body_bytes: PositiveInt = 1_000_000
    min_body_bytes_per_second: PositiveInt = 5_000
    docs_enabled: bool | None = None

    @field_validator("backend_cors_origins", mode="before")
    @classmethod
    def _check_origins(cls, value: object) -> object:
        """Take exact origins separated by commas; a slash at the end is a frequent slip."""
        if isinstance(value, str):
            value = tuple(origin for part in value.split(",") if (origin := part.strip(" /")))
            for origin in value:
                if not ORIGIN.fullmatch(origin):
                    raise ValueError(
                        "must be origins such as https://example.com, with commas, "
                        "in lower case and without a default port"
                    )
        return value

    @field_validator("backend_cors_headers", mode="before")
    @classmethod
    def _check_headers(cls, value: object) -> object:
        """Split names of headers at commas."""
        if isinstance(value, str):
            value = tuple(header for part in value.split(",") if (header := part.strip()))
            if not all(HEADER.fullmatch(header) for header in value):
                raise ValueError("must be names of headers such as X-Api-Version, with commas")
        return value

    @property
    def has_docs(self) -> bool:
        """Whether the API's documentation is served; not in production unless asked for."""
        if self.docs_enabled is not None:
            return self.docs_enabled
        return self.environment != "production"
