"""Settings of HTTP: CORS, limits of bodies, and the API's documentation."""

import re

from pydantic import PositiveInt, field_validator

from app.kit.settings import BaseAppSettings, CommaSeparated

# As browsers send them: another spelling would never match.
ORIGIN = re.compile(r"(?!http:.*:80$|https:.*:443$)https?://[a-z0-9._:\[\]-]+")
HEADER = re.compile(r"[A-Za-z0-9_-]+")


class HttpSettings(BaseAppSettings):
    """Which origins may call, how large a body may be, and whether the API is documented."""

    backend_cors_origins: CommaSeparated = ()
    backend_cors_headers: CommaSeparated = ()
    max_body_bytes: PositiveInt = 1_000_000
    min_body_bytes_per_second: PositiveInt = 5_000
    docs_enabled: bool | None = None

    @field_validator("backend_cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Accept exact origins; a slash at the end is a frequent mistake."""
        origins = tuple(origin.rstrip("/") for origin in value)
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError(
                "must be origins such as https://example.com, separated by commas, "
                "in lower case and without a default port"
            )
        return origins

    @field_validator("backend_cors_headers")
    @classmethod
    def _check_headers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(HEADER.fullmatch(header) for header in value):
            raise ValueError("must be names of headers, separated by commas")
        return value

    @property
    def has_docs(self) -> bool:
        """Whether the API's documentation is served; not in production unless asked for."""
        if self.docs_enabled is not None:
            return self.docs_enabled
        return self.environment != "production"
