"""The queue of procrastinate as workers see it: what runs a job, and what looks after the queue.

Each entry of the queue stands for one job that is to run.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncGenerator
from functools import partial
from time import monotonic
from typing import LiteralString

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg import Notify
from sqlalchemy.dialects.postgresql.psycopg import dialect

from app.core.config import Settings
from app.db.session import Database
from app.kit.db.bounded_connection import BoundedConnection
from app.kit.db.postgresql import parameters
from app.kit.jobs.calls import run_unbroken
from app.kit.jobs.context import JobTable
from app.kit.jobs.enqueue import TASK
from app.kit.jobs.executor import Runner
from app.kit.jobs.settings import JobSettings

logger = logging.getLogger(__name__)

UPKEEP = "upkeep"
AGAIN_SECONDS = 0.5
PUT_BACK = """
UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = %(at)s
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""
END = """
DELETE FROM procrastinate_jobs
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""
# In one statement: who comes late finds no entry. What was tried again has a newer one.
GIVE_UP = """
WITH entry AS (
    DELETE FROM procrastinate_jobs
    WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
    RETURNING task_name, args->'job_id' AS job_id
)
UPDATE job SET finished_at = now(),
    status = CASE WHEN job.is_cancel_requested THEN 'cancelled' ELSE 'failed' END,
    error = 'it was tried as often as may be, but no process survived it'
FROM entry WHERE job.id = job_id::bigint AND job.status IN ('queued', 'running')
    AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS newer
        WHERE newer.id > %(id)s
            AND newer.task_name = entry.task_name AND newer.args->'job_id' = entry.job_id
    )
"""


class QueueConnection(BoundedConnection):
    """A bounded connection that also finds out, while it waits for news, whether the server lives."""

    def notifies(
        self, *, timeout: float | None = None, stop_after: int | None = None
    ) -> AsyncGenerator[Notify]:
        """Yield what is announced; the one who listens checks the connection after each time."""
        seconds = self.statement_seconds if timeout is None else timeout
        return super().notifies(timeout=seconds, stop_after=stop_after)


class TryAgainError(Exception):
    """The attempt failed, but the next one may succeed."""


class Backoff(BaseRetryStrategy):
    """Wait twice as long before each further attempt; whoever was asked to stop does not wait."""

    def __init__(self, first_seconds: float) -> None:
        self._first_seconds = first_seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Tell when the next attempt is due."""
        wait_seconds = self.wait_seconds(exception, job.attempts)
        return RetryDecision(retry_in={"milliseconds": round(wait_seconds * 1000)})

    def wait_seconds(self, error: BaseException, attempts: int) -> float:
        """Return how long to wait after so many attempts before the one that ended like this."""
        return self._first_seconds * 2**attempts if isinstance(error, TryAgainError) else 0


class Entries(JobManager):
    """Changes an entry only for those who have it: once it was taken back, it is one attempt older.

    The package's own statements look at the id alone, and so would end what another has begun.
    """

    def __init__(self, connector: BaseConnector, lost_seconds: float) -> None:
        super().__init__(connector)
        self._lost_seconds = lost_seconds

    async def retry_job(
        self,
        job: Job,
        retry_at: dt.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put an entry back into the queue."""
        await self._change(PUT_BACK, job, at=retry_at)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Delete an entry: what became of it is in our own table."""
        await self._change(END, job)

    async def give_up(self, job: Job) -> None:
        """Delete an entry, and end its job, whose workers died."""
        await self._change(GIVE_UP, job)

    async def _change(self, query: LiteralString, job: Job, **values: object) -> None:
        """Try until the database takes it: nobody takes an entry from a worker that lives.

        It is given up after a time in which the worker, too, finds that it has lost the database.
        """
        give_up_at = monotonic() + self._lost_seconds
        values |= {"id": job.id, "attempts": job.attempts}
        while True:
            try:
                return await self.connector.execute_query_async(query, **values)
            except ConnectorException as error:
                if monotonic() > give_up_at:
                    raise
                logger.warning("entry %s cannot be changed yet: %s", job.id, error)
                await asyncio.sleep(AGAIN_SECONDS)


def open_queue(settings: Settings, database: Database) -> App:
    """Build what workers serve; the caller opens it."""

    async def bound(connection: QueueConnection) -> None:
        connection.statement_seconds = settings.database_statement_seconds

    _, address = dialect().create_connect_args(settings.database_url)
    connector = PsycopgConnector(
        kwargs=address | parameters(settings),
        connection_class=QueueConnection,
        configure=bound,
        timeout=settings.database_connect_seconds,
        max_size=8,  # besides those by which each lane listens
    )
    queue = App(connector=connector)
    queue.job_manager = entries = Entries(connector, settings.job_lost_seconds)
    add_runner(queue, database, settings)
    add_upkeep(queue, entries, JobTable(database), settings)
    return queue


def add_runner(queue: App, database: Database, settings: Settings) -> None:
    """Add the task that runs jobs of all kinds."""
    table = JobTable(database)
    runner = Runner(database, settings, unfinished="queued")

    @queue.task(name=TASK, pass_context=True, retry=Backoff(settings.job_backoff_seconds))
    async def run_job(context: JobContext, job_id: int) -> None:
        row = await run_unbroken(partial(table.start, job_id))
        if row is None:  # withdrawn, or at its end although its worker died before it said so here
            return
        may_retry = context.job.attempts < settings.job_retries
        if await runner.run(row, may_retry=may_retry) == "queued":
            raise TryAgainError


def add_upkeep(queue: App, entries: Entries, table: JobTable, settings: JobSettings) -> None:
    """Add the periodic tasks. Many workers ask for them, and two may run at once."""

    @queue.periodic(cron="* * * * * */5")  # seconds come last
    @queue.task(name="take_back", queue=UPKEEP, queueing_lock="take_back")
    async def take_back(timestamp: int) -> None:
        lost = await entries.get_stalled_jobs(seconds_since_heartbeat=settings.job_lost_seconds)
        for entry in lost:
            if entry.task_name != TASK:  # upkeep, which comes again by itself
                await entries.finish_job(entry, Status.FAILED, delete_job=True)
            elif entry.attempts < settings.job_retries:
                await entries.retry_job(entry)
            else:
                await entries.give_up(entry)

    @queue.periodic(cron="7 * * * *")
    @queue.task(name="forget", queue=UPKEEP, queueing_lock="forget")
    async def forget(timestamp: int) -> None:
        await run_unbroken(partial(table.forget, settings.job_keep_days))
