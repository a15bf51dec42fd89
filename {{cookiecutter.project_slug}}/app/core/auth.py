"""Settings of accounts and tokens."""

from typing import Annotated

from pydantic import AfterValidator, Field, Secret, SecretStr, StringConstraints

from app.core.environment import EnvironmentSettings

MIN_KEY_BYTES = 32
# Of 64 random hexadecimal digits always, as good as; "changethis" repeated has nine.
MIN_DISTINCT_CHARACTERS = 10

# Not SecretStr, which lets half of a surrogate pair pass.
Password = Secret[Annotated[str, StringConstraints(min_length=8, max_length=128)]]


def check_key(key: SecretStr) -> SecretStr:
    """Return the key; raise ``ValueError`` if it can be guessed."""
    value = key.get_secret_value()
    if len(value.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"must have at least {MIN_KEY_BYTES} bytes")
    if len(set(value)) < MIN_DISTINCT_CHARACTERS:
        raise ValueError("must be random")
    return key


class AuthSettings(EnvironmentSettings):
    """What tokens are signed with, how long they are good, and who is there first."""

    secret_key: Annotated[SecretStr, AfterValidator(check_key)] | None = None
    access_token_seconds: Annotated[int, Field(ge=1, le=3600)] = 900
    refresh_token_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 1_209_600
    first_superuser_password: Password | None = None
