"""The queue as the workers of procrastinate see it: the task that runs jobs, and maintenance.

procrastinate calls its rows jobs, too; here they are entries. Each stands for one job to run.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import LiteralString

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg import Error, Notify
from psycopg.abc import RV, PQGen
from sqlalchemy.dialects.postgresql.psycopg import dialect

from app.kit.db.bounded_connection import BoundedConnection
from app.kit.db.database import Database
from app.kit.db.postgresql import is_session_lost, parameters
from app.kit.db.url import driver_url
from app.kit.jobs.calls import run_shielded
from app.kit.jobs.defer import TASK
from app.kit.jobs.executor import JobExecutor
from app.kit.jobs.kinds import JobKinds
from app.kit.jobs.store import JobStore
from app.kit.jobs.worker_settings import WorkerSettings
from app.kit.logging import describe

logger = logging.getLogger(__name__)

MAINTENANCE = "maintenance"
RETRY_PAUSE_SECONDS = 0.5
REQUEUE = """
UPDATE procrastinate_jobs
SET status = 'todo', attempts = attempts + 1,
    scheduled_at = now() + make_interval(secs => %(seconds)s)
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""
FINISH = """
DELETE FROM procrastinate_jobs
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""
# One statement, so that a late worker finds no entry. A job that was retried has a newer entry.
GIVE_UP = """
WITH entry AS (
    DELETE FROM procrastinate_jobs
    WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
    RETURNING task_name, args->'job_id' AS job_id
)
UPDATE job SET finished_at = now(),
    status = CASE WHEN job.is_cancel_requested THEN 'cancelled' ELSE 'failed' END,
    error = 'gave up: the worker died on every attempt'
FROM entry WHERE job.id = job_id::bigint AND job.status IN ('queued', 'running')
    AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS newer
        WHERE newer.id > %(id)s
            AND newer.task_name = entry.task_name AND newer.args->'job_id' = entry.job_id
    )
"""


class QueueConnection(BoundedConnection):
    """A bounded connection that closes if it is unusable, and detects a dead server."""

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,
    ) -> RV:
        """Wait for the server; close the connection if it is unusable, such as after a failover.

        Otherwise psycopg's pool would reuse it.
        """
        try:
            return await super().wait(gen, interval, timeout)
        except Error as error:
            if is_session_lost(error):
                self.pgconn.finish()
            raise

    def notifies(
        self, *, timeout: float | None = None, stop_after: int | None = None
    ) -> AsyncGenerator[Notify]:
        """Yield notifications; the listener checks the connection after each timeout."""
        seconds = self.statement_seconds if timeout is None else timeout
        return super().notifies(timeout=seconds, stop_after=stop_after)


class RetryJobError(Exception):
    """The attempt failed, but the next one may succeed."""


class ExponentialBackoff(BaseRetryStrategy):
    """Double the wait before each retry; after the shutdown of a worker, retry at once."""

    def __init__(self, first_seconds: float) -> None:
        self._first_seconds = first_seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when the next attempt is due."""
        wait_seconds = self.wait_seconds(exception, job.attempts)
        return RetryDecision(retry_in={"milliseconds": round(wait_seconds * 1000)})

    def wait_seconds(self, error: BaseException, attempts: int) -> float:
        """Return how long to wait after an attempt that had ``attempts`` others before it."""
        return self._first_seconds * 2**attempts if isinstance(error, RetryJobError) else 0


class FencedJobManager(JobManager):
    """Changes an entry only for its current attempt; ``requeue_stalled`` begins a new attempt.

    The statements of procrastinate 3.10 check only the id: a worker that was frozen would finish
    an entry that another worker runs by now.
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
        """Put an entry back into the queue; the wait is measured by the database's clock."""
        seconds = 0.0 if retry_at is None else (retry_at - dt.datetime.now(dt.UTC)).total_seconds()
        await self._change(REQUEUE, job, seconds=seconds)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Delete an entry: the table of jobs says how it ended."""
        await self._change(FINISH, job)

    async def give_up(self, job: Job) -> None:
        """Delete an entry and fail its job, whose workers died."""
        await self._change(GIVE_UP, job)

    async def _change(self, query: LiteralString, job: Job, **values: object) -> None:
        """Retry until the database answers: no other worker takes an entry of a live worker.

        Give up after ``lost_seconds``, when this worker counts as dead, too.
        """
        give_up_at = monotonic() + self._lost_seconds
        values |= {"id": job.id, "attempts": job.attempts}
        while True:
            try:
                return await self.connector.execute_query_async(query, **values)
            except ConnectorException as error:
                if monotonic() > give_up_at:
                    raise
                logger.warning(
                    "queue entry %s cannot be updated, retrying: %s", job.id, describe(error)
                )
                await asyncio.sleep(RETRY_PAUSE_SECONDS)


@asynccontextmanager
async def open_queue(
    settings: WorkerSettings, database: Database, kinds: JobKinds
) -> AsyncGenerator[App]:
    """Yield the procrastinate application that workers serve, connected to its database."""
    async with create_procrastinate(settings, database, kinds).open_async() as app:
        yield app


def create_procrastinate(settings: WorkerSettings, database: Database, kinds: JobKinds) -> App:
    """Create the procrastinate application that workers serve; the caller opens it."""

    async def bound(connection: QueueConnection) -> None:
        connection.statement_seconds = settings.database_statement_seconds

    _, address = dialect().create_connect_args(driver_url(settings.database_url))
    connector = PsycopgConnector(
        kwargs=address | parameters(settings),
        connection_class=QueueConnection,
        configure=bound,
        timeout=settings.database_connect_seconds,
        max_size=8,  # besides the connection of each queue that listens
    )
    app = App(connector=connector)
    app.job_manager = manager = FencedJobManager(connector, settings.job_lost_seconds)
    store = JobStore(database)
    add_run_job(app, JobExecutor(database, settings, kinds, unfinished="queued"), store, settings)
    add_maintenance(app, manager, store, settings)
    return app


def add_run_job(
    app: App,
    executor: JobExecutor[WorkerSettings],
    store: JobStore,
    settings: WorkerSettings,
) -> None:
    """Add the task that runs jobs of all kinds."""
    backoff = ExponentialBackoff(settings.job_backoff_seconds)

    @app.task(name=TASK, pass_context=True, retry=backoff)
    async def run_job(context: JobContext, job_id: int) -> None:
        row = await run_shielded(partial(store.start, job_id))
        if row is None:  # cancelled, or ended by a worker that died before it finished the entry
            return
        may_retry = context.job.attempts < settings.job_retries
        if await executor.run(row, may_retry=may_retry) == "queued":
            raise RetryJobError


def add_maintenance(
    app: App, manager: FencedJobManager, store: JobStore, settings: WorkerSettings
) -> None:
    """Add the periodic tasks. All workers queue them, and two may run at once."""

    @app.periodic(cron="* * * * * */5")  # seconds come last
    @app.task(name="requeue_stalled", queue=MAINTENANCE, queueing_lock="requeue_stalled")
    async def requeue_stalled(timestamp: int) -> None:
        lost = await manager.get_stalled_jobs(seconds_since_heartbeat=settings.job_lost_seconds)
        for entry in lost:
            if entry.task_name != TASK:  # maintenance, which is queued again periodically
                await manager.finish_job(entry, Status.FAILED, delete_job=True)
            elif entry.attempts < settings.job_retries:
                await manager.retry_job(entry)
            else:
                await manager.give_up(entry)

    @app.periodic(cron="7 * * * *")
    @app.task(name="purge_finished", queue=MAINTENANCE, queueing_lock="purge_finished")
    async def purge_finished(timestamp: int) -> None:
        await run_shielded(partial(store.purge_finished, settings.job_keep_days))
