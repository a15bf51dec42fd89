"""How settings are read: from the environment, then from ``.env`` in the working directory."""

from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class EnvironmentSettings(BaseSettings):
    """Read each field from the variable of its name in capitals."""

    model_config = SettingsConfigDict(
        enable_decoding=False,  # lists are separated by commas
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
    )


Seconds = Annotated[float, Field(gt=0, le=86_400)]
SecondsOrZero = Annotated[float, Field(ge=0, le=86_400)]


def complaint(error: ValidationError) -> str:
    """Say in one sentence which variable cannot work and why, without its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
    reason = reason.removesuffix(".")
    if not first["loc"]:  # about several variables, which the reason names
        return f"{reason}."
    name = str(first["loc"][0]).upper()
    if first["type"] == "missing":
        return f"{name} must be set, in the environment or in .env."
    return f"{name}: {reason}."
