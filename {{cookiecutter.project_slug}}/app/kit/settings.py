"""Read settings from the environment, then from ``.env`` in the working directory."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from app.kit.environment import check_variables, read_files, skip_empty

HOST_NAME = re.compile(r"[^\s/@:]+")

Seconds = Annotated[float, Field(gt=0, le=86_400)]
SecondsOrZero = Annotated[float, Field(ge=0, le=86_400)]


def split_commas(value: object) -> object:
    """Return the items of a text; return other values unchanged."""
    if isinstance(value, str):
        return tuple(item for part in value.split(",") if (item := part.strip()))
    return value


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(split_commas)]


def check_host(value: str) -> str:
    """Return the host; raise ``ValueError`` if it is a URL or has a port."""
    if not HOST_NAME.fullmatch(value):
        try:
            ip_address(value)
        except ValueError:
            message = "must be a host such as db.example.com, without scheme and port"
            raise ValueError(message) from None
    return value


Host = Annotated[str, AfterValidator(check_host)]


class BaseAppSettings(BaseSettings):
    """Read each field from the variable of its name in capitals.

    Each part of the service adds its fields as a subclass; ``Settings`` inherits from all of them.
    """

    model_config = SettingsConfigDict(
        enable_decoding=False,  # lists are separated by commas
        env_file=".env",
        env_file_encoding="utf-8-sig",  # some editors on Windows begin files with a mark
        extra="ignore",
        frozen=True,
        validate_default=True,
    )

    # Here, because settings of several parts depend on them.
    environment: Literal["local", "staging", "production"] = "local"
    workers: Annotated[int, Field(ge=1, le=128)] = 1

    def per_worker(self) -> tuple[str, ...]:
        """Return a sentence for each limit that every worker counts by itself, for the log."""
        return ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the arguments, then the environment, then ``.env``."""
        fields = settings_cls.model_fields
        if isinstance(env_settings, EnvSettingsSource):  # in .env, quotes are syntax
            env_settings.env_vars = check_variables(env_settings.env_vars, fields)
        for source in (env_settings, dotenv_settings):
            if isinstance(source, EnvSettingsSource):
                source.env_vars = skip_empty(read_files(source.env_vars, fields), fields)
        return init_settings, env_settings, dotenv_settings


SettingsT = TypeVar("SettingsT", bound=BaseAppSettings)


def read_settings(read: Callable[[], SettingsT]) -> SettingsT:
    """Call a settings class; end the process with one sentence about the first invalid setting."""
    try:
        return read()
    except ValidationError as error:
        raise SystemExit(format_settings_error(error)) from None
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    except UnicodeDecodeError:
        raise SystemExit(".env must be a text in UTF-8.") from None
    except OSError as error:
        raise SystemExit(f".env cannot be read: {error.strerror}.") from None


def format_settings_error(error: ValidationError) -> str:
    """Return one sentence: which variable is invalid and why, without its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
    reason = reason.removesuffix(".")
    if not first["loc"]:  # about several variables, which the reason names
        return f"{reason}."
    name = str(first["loc"][0]).upper()
    if first["type"] == "missing":
        return f"{name} must be set, in the environment or in .env."
    return f"{name}: {reason}."
