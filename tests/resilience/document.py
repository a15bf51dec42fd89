"""What a service says about itself in its OpenAPI document."""

from dataclasses import dataclass
from typing import Any

ADDRESS = "/api/v1/openapi.json"
USERS = "/api/v1/users/"
LOGIN = "/api/v1/auth/login"
PHOTO = "/api/v1/recipes/{id}/photo"


@dataclass(frozen=True)
class Document:
    """An OpenAPI document."""

    paths: dict[str, dict[str, Any]]

    @property
    def has_login(self) -> bool:
        """Tell whether users log in."""
        return LOGIN in self.paths

    @property
    def has_photos(self) -> bool:
        """Tell whether clients upload files."""
        return PHOTO in self.paths

    @property
    def has_rate_limit(self) -> bool:
        """Tell whether the number of requests is limited."""
        operations = (it for path in self.paths.values() for it in path.values())
        return any("429" in operation["responses"] for operation in operations)
