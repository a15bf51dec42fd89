"""How settings are read: from the environment, then from ``.env`` in the working directory."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar, get_origin

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

Seconds = Annotated[float, Field(gt=0, le=86_400)]
SecondsOrZero = Annotated[float, Field(ge=0, le=86_400)]


class BaseAppSettings(BaseSettings):
    """Read each field from the variable of its name in capitals.

    Each part of the service adds its fields as a subclass; ``Settings`` inherits from all of them.
    """

    model_config = SettingsConfigDict(
        enable_decoding=False,  # lists are separated by commas
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
    )

    environment: Literal["local", "staging", "production"] = "local"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read an empty variable as an empty list where a list is wanted, and else as not set."""
        file = getattr(dotenv_settings, "env_file", None)
        return (
            init_settings,
            env_settings,
            _empty_lists(EnvSettingsSource(settings_cls, env_ignore_empty=False)),
            dotenv_settings,
            _empty_lists(DotEnvSettingsSource(settings_cls, file, env_ignore_empty=False)),
        )


def _empty_lists(source: EnvSettingsSource) -> PydanticBaseSettingsSource:
    """Return those variables of a source that are empty lists, such as FORWARDED_ALLOW_IPS."""
    fields = source.settings_cls.model_fields.items()
    lists = [name for name, field in fields if get_origin(field.annotation) is tuple]
    empty = {name: "" for name in lists if source.env_vars.get(name) == ""}
    return InitSettingsSource(source.settings_cls, init_kwargs=empty)


SettingsT = TypeVar("SettingsT", bound=BaseAppSettings)


def read_settings(read: Callable[[], SettingsT]) -> SettingsT:
    """Call a settings class; end the process with one sentence about the first invalid setting."""
    try:
        return read()
    except ValidationError as error:
        raise SystemExit(format_settings_error(error)) from None
    except UnicodeDecodeError:
        raise SystemExit(".env must be a text in UTF-8.") from None


def format_settings_error(error: ValidationError) -> str:
    """Say in one sentence which variable is invalid and why, without its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
    reason = reason.removesuffix(".")
    if not first["loc"]:  # about several variables, which the reason names
        return f"{reason}."
    name = str(first["loc"][0]).upper()
    if first["type"] == "missing":
        return f"{name} must be set, in the environment or in .env."
    return f"{name}: {reason}."
