"""Settings of jobs where workers run them."""

from pydantic import NonNegativeInt

from app.kit.db.settings import DatabaseSettings
from app.kit.jobs.settings import JobSettings
from app.kit.settings import Seconds


class WorkerSettings(JobSettings, DatabaseSettings):
    """How often a failed job is retried, and how long a worker waits before that."""

    job_retries: NonNegativeInt = 4
    job_backoff_seconds: Seconds = 2
