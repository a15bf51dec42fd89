"""Settings: everything that differs between two deployments of the same build."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, EmailStr

# {% if cookiecutter.fan_out %}
from app.core.clients import ClientSettings  # example
# {% endif %}
# {% if cookiecutter.job_queue != "none" %}
from app.core.photos import PhotoSettings  # example
# {% endif %}
# {% if cookiecutter.auth %}
from app.kit.auth.settings import AuthSettings
# {% endif %}
from app.kit.db.settings import DatabaseSettings
from app.kit.http.settings import HttpSettings
# {% if cookiecutter.job_queue != "none" %}
from app.kit.jobs.settings import JobSettings, MailSettings
# {% endif %}
# {% if cookiecutter.job_queue == "procrastinate" %}
from app.kit.jobs.worker_settings import WorkerSettings
# {% endif %}
# {% if cookiecutter.rate_limit %}
from app.kit.rate_limit.settings import RateLimitSettings
# {% endif %}
from app.kit.server.settings import ServerSettings
from app.kit.settings import read_settings
# {% if cookiecutter.telemetry %}
from app.kit.telemetry.settings import TelemetrySettings
# {% endif %}

API_PREFIX = "/api/v1"


class Settings(
    # {% if cookiecutter.fan_out %}
    ClientSettings,  # example
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    PhotoSettings,  # example
    # {% endif %}
    # {% if cookiecutter.job_queue == "procrastinate" %}
    WorkerSettings,
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    JobSettings,
    MailSettings,
    # {% endif %}
    # {% if cookiecutter.auth %}
    AuthSettings,
    # {% endif %}
    # {% if cookiecutter.rate_limit %}
    RateLimitSettings,
    # {% endif %}
    # {% if cookiecutter.telemetry %}
    TelemetrySettings,
    # {% endif %}
    DatabaseSettings,
    HttpSettings,
    ServerSettings,
):
    """The service's settings; ``.env.example`` describes each."""

    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)
    ] = "INFO"
    first_superuser: EmailStr = "admin@example.com"


def load_settings() -> Settings:
    """Read the settings; end the process with one sentence about the first invalid one."""
    return read_settings(Settings)
