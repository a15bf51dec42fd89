"""What a kind of jobs consists of, one attempt at a job, and all that is stored about it."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import datetime as dt
# {% if cookiecutter.job_queue == "in_process" %}
from collections.abc import Callable, Sequence
# {% else %}
from collections.abc import Callable
# {% endif %}
from dataclasses import dataclass
from typing import Any, Literal

from anyio.lowlevel import checkpoint
from pydantic import BaseModel

from app.core.config import Settings
from app.crud.base import Record
from app.db.session import Database
from app.kit.jobs.calls import run_in_loop
from app.kit.jobs.store import job
from app.schemas.job import JobStatus

BATCH = 1000  # deleted in one transaction, so that none takes long
# Work that keeps a processor busy runs one at a time in each process that runs jobs.
Lane = Literal["processor", "waiting"]


@dataclass(frozen=True)
class Kind:
    """What a job of this kind does. ``body`` takes a ``Run`` and the parameters."""

    name: str
    parameters: type[BaseModel]
    body: Callable[..., Any]
    timeout_seconds: float
    lane: Lane = "waiting"


class LostJobError(Exception):
    """Somebody else has the job by now."""


class Run:
    """What the body of a job is given."""

    def __init__(self, database: Database, settings: Settings, row: Record) -> None:
        self.database = database
        self.settings = settings
        self.id: int = row.id
        self.attempt: int = row.attempts
        self.is_cancel_requested: bool = row.is_cancel_requested

    async def report(self, progress: float) -> None:
        """Tell clients how far the job is, from 0 to 1; a cancelled one ends here."""
        await self.beat(progress=progress)
        await run_in_loop(checkpoint)

    async def record(self, name: str, data: dict[str, Any] | None = None) -> bool:
        """Store an effect, once however often the job runs; tell whether this was the first time."""
        async with self.database.transaction() as connection:
            return await job.record(connection, self.id, name, data)

    async def has_recorded(self, name: str) -> bool:
        """Tell whether an attempt has had this effect."""
        async with self.database.read() as connection:
            return await job.has_recorded(connection, self.id, name)

    async def beat(self, **values: object) -> None:
        """Say that the job goes on and hear whether it should; raise ``LostJobError``."""
        async with self.database.transaction() as connection:
            row = await job.beat(connection, self.id, self.attempt, **values)
        if row is None:
            raise LostJobError
        self.is_cancel_requested = row.is_cancel_requested

    async def end(self, status: JobStatus, **values: object) -> None:
        """Store how the attempt ended; raise ``LostJobError``."""
        async with self.database.transaction() as connection:
            row = await job.end(connection, self.id, self.attempt, status, **values)
        if row is None:
            raise LostJobError


class JobTable:
    """The jobs of a database, for those who look for work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, id: int) -> Record | None:
        """Take a job that waits; return None if it does not."""
        async with self._database.transaction() as connection:
            return await job.start(connection, id)

    # {% if cookiecutter.job_queue == "in_process" %}
    async def start_next(self, kinds: Sequence[str]) -> Record | None:
        """Take the job of these kinds that waits longest, if there is one."""
        while True:
            async with self._database.read() as connection:
                id = await job.next(connection, kinds)
            if id is None:
                return None
            row = await self.start(id)
            if row is not None:  # otherwise another process was faster
                return row

    async def interrupt(self, lost_seconds: float) -> Sequence[int]:
        """Mark jobs whose process is gone; return their ids."""
        since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=lost_seconds)
        async with self._database.transaction() as connection:
            return await job.interrupt(connection, since)

    # {% endif %}
    async def forget(self, keep_days: int) -> None:
        """Delete the jobs that ended long ago."""
        before = dt.datetime.now(dt.UTC) - dt.timedelta(days=keep_days)
        deleted = BATCH
        while deleted == BATCH:
            async with self._database.transaction() as connection:
                deleted = await job.forget(connection, before, BATCH)


# {%- endfilter +%}
