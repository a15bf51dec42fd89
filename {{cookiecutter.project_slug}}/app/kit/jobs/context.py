"""The context of a handler: one attempt at a job."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from typing import Any, Generic, TypeVar

from anyio.lowlevel import checkpoint

from app.kit.db.database import Database
from app.kit.db.model import Record
from app.kit.jobs.calls import await_from_job
from app.kit.jobs.models import JobStatus
from app.kit.jobs.queries import jobs
from app.kit.jobs.settings import JobSettings

SettingsT = TypeVar("SettingsT", bound=JobSettings)


class LostJobError(Exception):
    """Another process has taken the job."""


class JobContext(Generic[SettingsT]):
    """One attempt at a job: the database, the settings, and its reports."""

    def __init__(self, database: Database, settings: SettingsT, row: Record) -> None:
        self.database = database
        self.settings = settings
        self.id: int = row.id
        self.attempt: int = row.attempts
        self.is_cancel_requested: bool = row.is_cancel_requested

    async def report(self, progress: float) -> None:
        """Store the progress, from 0 to 1; end the handler if the job is cancelled."""
        await self.heartbeat(progress=progress)
        await await_from_job(checkpoint)

    async def mark_done(self, step: str, data: dict[str, Any] | None = None) -> bool:
        """Store that a step is done; return whether this was the first time."""
        async with self.database.transaction() as connection:
            return await jobs.mark_done(connection, self.id, step, data)

    async def is_done(self, step: str) -> bool:
        """Return whether this or an earlier attempt has marked a step as done."""
        async with self.database.read() as connection:
            return await jobs.is_done(connection, self.id, step)

    async def heartbeat(self, **values: object) -> None:
        """Store a heartbeat, and read whether to cancel the job; raise ``LostJobError``."""
        async with self.database.transaction() as connection:
            row = await jobs.heartbeat(connection, self.id, self.attempt, **values)
        if row is None:
            raise LostJobError
        self.is_cancel_requested = row.is_cancel_requested

    async def end(self, status: JobStatus, **values: object) -> None:
        """Store the final status of the attempt; raise ``LostJobError``."""
        async with self.database.transaction() as connection:
            row = await jobs.end(connection, self.id, self.attempt, status, **values)
        if row is None:
            raise LostJobError


# {%- endfilter +%}
