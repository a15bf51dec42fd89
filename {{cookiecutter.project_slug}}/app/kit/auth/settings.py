"""Settings of accounts: secrets, and how long tokens are valid."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from app.kit.auth.password_text import Password
from app.kit.settings import BaseAppSettings

MIN_KEY_BYTES = 32
# 64 random hexadecimal digits practically always have ten; "changethis" repeated has nine.
MIN_DISTINCT_CHARACTERS = 10


def check_key(key: SecretStr) -> SecretStr:
    """Return the key; raise ``ValueError`` if it can be guessed."""
    value = key.get_secret_value()
    if len(value.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"must have at least {MIN_KEY_BYTES} bytes")
    if len(set(value)) < MIN_DISTINCT_CHARACTERS:
        raise ValueError("must be random")
    return key


class AuthSettings(BaseAppSettings):
    """The key that signs tokens, how long they are valid, and the first password."""

    secret_key: Annotated[SecretStr, AfterValidator(check_key)] | None = None
    access_token_seconds: Annotated[int, Field(ge=1, le=3600)] = 900
    refresh_token_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 1_209_600
    # A stolen refresh token that is used within this time is detected only at the next exchange.
    refresh_grace_seconds: Annotated[int, Field(ge=0, le=60)] = 30
    first_superuser_password: Password | None = None

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.environment != "local" and self.secret_key is None:
            raise ValueError(
                f"SECRET_KEY must be set in {self.environment}; "
                "python -m app.setup writes one to .env"
            )
        if self.workers > 1 and self.secret_key is None:
            raise ValueError(
                "SECRET_KEY must be set if WORKERS is greater than 1, or each worker would make "
                "its own; python -m app.setup writes one to .env"
            )
        return self
