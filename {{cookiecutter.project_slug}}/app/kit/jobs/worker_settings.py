"""Settings of workers."""

from pydantic import NonNegativeInt

from app.kit.db.settings import DatabaseSettings
from app.kit.jobs.settings import JobSettings
from app.kit.settings import Seconds


class WorkerSettings(JobSettings, DatabaseSettings):
    """How often a failed job is retried, and the delay of the first retry."""

    job_retries: NonNegativeInt = 4
    job_backoff_seconds: Seconds = 2
