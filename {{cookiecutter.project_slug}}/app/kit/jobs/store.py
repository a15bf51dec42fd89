"""The jobs as processes that run them see them; each method uses short transactions."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from datetime import timedelta

from app.kit.db.database import Database
from app.kit.db.model import Record
from app.kit.jobs.models import JobStatus
from app.kit.jobs.queries import jobs

PURGE_BATCH = 1000  # per transaction, which keeps each short


class JobStore:
    """The jobs of a database."""

    # The queue gives a job to one worker at a time: if the job is running already, its worker died.
    startable: tuple[JobStatus, ...] = ("queued", "running")

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, id: int) -> Record | None:
        """Start a job; return None if its status is not startable."""
        async with self._database.transaction() as connection:
            return await jobs.start(connection, id, self.startable)

    async def purge_finished(self, keep_days: int) -> None:
        """Delete the jobs that ended more than ``keep_days`` days ago."""
        keep_seconds = timedelta(days=keep_days).total_seconds()
        deleted = PURGE_BATCH
        while deleted == PURGE_BATCH:
            async with self._database.transaction() as connection:
                deleted = await jobs.purge(connection, keep_seconds, PURGE_BATCH)


# {%- endfilter +%}
