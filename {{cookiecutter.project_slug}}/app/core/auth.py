"""Settings of accounts and tokens."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from app.core.environment import EnvironmentSettings

MIN_KEY_BYTES = 32
# 64 random hexadecimal digits have fewer in one of 10 million cases; "changethis" repeated always.
MIN_DISTINCT_CHARACTERS = 10
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128


def check_key(key: SecretStr) -> SecretStr:
    """Return the key; raise ``ValueError`` if it can be guessed."""
    value = key.get_secret_value()
    if len(value.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"must have at least {MIN_KEY_BYTES} bytes")
    if len(set(value)) < MIN_DISTINCT_CHARACTERS:
        raise ValueError("must be random")
    return key


def check_password(password: SecretStr) -> SecretStr:
    """Return the password; raise ``ValueError`` if nobody could log in with it."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise ValueError(f"must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters")
    return password


class AuthSettings(EnvironmentSettings):
    """What tokens are signed with, how long they are good, and who is there first."""

    secret_key: Annotated[SecretStr, AfterValidator(check_key)] | None = None
    access_token_seconds: Annotated[int, Field(ge=1, le=3600)] = 900
    refresh_token_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 1_209_600
    first_superuser_password: Annotated[SecretStr, AfterValidator(check_password)] | None = None
