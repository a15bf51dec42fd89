"""Settings: everything that differs between two deployments of the same build."""

import re
from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import (
    EmailStr,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
# {% if cookiecutter.database == "sqlite" %}
from sqlalchemy import make_url
# {% endif %}

# {% if cookiecutter.fan_out %}
from app.core.fan_out import FanOutSettings  # example
# {% endif %}
# {% if cookiecutter.auth %}
from app.kit.auth.security import AuthSettings
# {% endif %}
from app.kit.db.url import DatabaseUrl
# {% if cookiecutter.job_queue != "none" %}
from app.kit.jobs.settings import (
    JobSettings,
    MailSettings,
    PhotoSettings,  # example
)
# {% endif %}
# {% if cookiecutter.rate_limit %}
from app.kit.rate_limit.limiter import RateLimitSettings
# {% endif %}
from app.kit.settings import EnvironmentSettings, Seconds, SecondsOrZero, complaint

# As browsers send them: another spelling would never match.
ORIGIN = re.compile(r"(?!http:.*:80$|https:.*:443$)https?://[a-z0-9._:\[\]-]+")
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
# Kubernetes and most hosts kill a process 30 s after they asked it to stop.
LONGEST_STOP_SECONDS = 25


class Settings(EnvironmentSettings):
    """The service's settings; ``.env.example`` describes each."""

    environment: Literal["local", "staging", "production"] = "local"

    # {% if cookiecutter.database == "sqlite" %}
    database_url: DatabaseUrl = make_url("sqlite:///./app.db")
    # {% else %}
    database_url: DatabaseUrl
    # {% endif %}
    database_pool_size: PositiveInt = 20
    database_wait_seconds: Seconds = 5
    # {% if cookiecutter.database == "postgresql" %}
    database_connect_seconds: Seconds = 5
    database_statement_seconds: Seconds = 10
    # {% endif %}
    database_start_seconds: Seconds = 60

    app_module: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")] = "app.main:create_app"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8001
    root_path: str = ""
    forwarded_allow_ips: tuple[str, ...] = ("127.0.0.1", "::1")
    reload: bool = False
    drain_seconds: SecondsOrZero | None = None
    grace_seconds: SecondsOrZero = 15

    backend_cors_origins: tuple[str, ...] = ()
    max_body_bytes: PositiveInt = 1_000_000
    max_body_seconds: Seconds = 10
    docs_enabled: bool | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    first_superuser: EmailStr = "admin@example.com"
    # {% if cookiecutter.auth %}
    auth: AuthSettings = Field(default_factory=AuthSettings)
    # {% endif %}
    # {% if cookiecutter.fan_out %}
    fan_out: FanOutSettings = Field(default_factory=FanOutSettings)  # example
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    jobs: JobSettings = Field(default_factory=JobSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    photos: PhotoSettings = Field(default_factory=PhotoSettings)  # example
    # {% endif %}
    # {% if cookiecutter.rate_limit %}
    rate_limit: RateLimitSettings = Field(default_factory=RateLimitSettings)
    # {% endif %}

    # {% if cookiecutter.auth or cookiecutter.fan_out or cookiecutter.rate_limit or cookiecutter.job_queue != "none" %}
    @model_validator(mode="before")
    @classmethod
    def _skip_variables_of_groups(cls, values: dict[str, object]) -> dict[str, object]:
        """Read groups from variables of their own, not from one of their name, such as MAIL."""
        groups = {name for name, field in cls.model_fields.items() if field.default_factory}
        return {
            name: value
            for name, value in values.items()
            if name not in groups or not isinstance(value, str)
        }

    # {% endif %}
    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        if not PREFIX.fullmatch(value):
            raise ValueError(
                "must begin with a slash and end without one, such as /api, "
                "and have just letters, digits and .-_~ between slashes"
            )
        return value

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

    @field_validator("forwarded_allow_ips", mode="before")
    @classmethod
    def _check_proxies(cls, value: object) -> object:
        """Take addresses and networks separated by commas, but not the network of everybody."""
        if isinstance(value, str):
            value = tuple(proxy for part in value.split(",") if (proxy := part.strip()))
            try:
                networks = [ip_network(proxy) for proxy in value]
            except ValueError:
                message = "must be addresses or networks such as 10.0.0.0/8, with commas"
                raise ValueError(message) from None
            if any(network.prefixlen == 0 for network in networks):
                raise ValueError("must not trust everybody: name the proxies or their networks")
        return value

    @model_validator(mode="after")
    def _check_stop(self) -> Self:
        if self.effective_drain_seconds + self.grace_seconds > LONGEST_STOP_SECONDS:
            raise ValueError(
                "DRAIN_SECONDS and GRACE_SECONDS together must not exceed "
                f"{LONGEST_STOP_SECONDS} seconds"
            )
        return self

    # {% if cookiecutter.auth %}
    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.environment != "local" and self.auth.secret_key is None:
            raise ValueError(
                f"SECRET_KEY must be set in {self.environment}; "
                "python -m app.setup writes one to .env"
            )
        return self

    # {% endif %}
    @property
    def effective_drain_seconds(self) -> float:
        """How long to go on serving after SIGTERM, until load balancers have noticed."""
        if self.drain_seconds is not None:
            return self.drain_seconds
        return 0 if self.environment == "local" else 5

    @property
    def has_docs(self) -> bool:
        """Whether the API's documentation is served; not in production unless asked for."""
        if self.docs_enabled is not None:
            return self.docs_enabled
        return self.environment != "production"


def load_settings() -> Settings:
    """Read the settings, or end the process with one sentence about the first that cannot work."""
    try:
        return Settings()
    except ValidationError as error:
        raise SystemExit(complaint(error)) from None
    except UnicodeDecodeError:
        raise SystemExit(".env must be a text in UTF-8.") from None
