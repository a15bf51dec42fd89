"""Settings of jobs."""

from typing import Self

# {% if cookiecutter.job_queue == "procrastinate" %}
from pydantic import NonNegativeInt, PositiveInt, model_validator
# {% else %}
from pydantic import PositiveInt, model_validator
# {% endif %}

from app.core.environment import EnvironmentSettings, Seconds


class JobSettings(EnvironmentSettings):
    """How many jobs run at once, and when one counts as lost."""

    job_concurrency: PositiveInt = 4
    job_heartbeat_seconds: Seconds = 2
    job_lost_seconds: Seconds = 20
    # {% if cookiecutter.job_queue == "procrastinate" %}
    job_retries: NonNegativeInt = 4
    job_backoff_seconds: Seconds = 2
    # {% endif %}
    job_keep_days: PositiveInt = 7

    @model_validator(mode="after")
    def _check_heartbeat(self) -> Self:
        if self.job_lost_seconds < 2 * self.job_heartbeat_seconds:
            raise ValueError("JOB_LOST_SECONDS must be at least twice JOB_HEARTBEAT_SECONDS")
        return self
