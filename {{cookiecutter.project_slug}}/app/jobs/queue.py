"""The queue of procrastinate as workers see it: what runs a job, and what looks after the queue."""

from collections.abc import AsyncGenerator
from functools import partial

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job, Status
from psycopg import Notify
from sqlalchemy.dialects.postgresql.psycopg import dialect

from app.core.config import Settings
from app.core.jobs import JobSettings
from app.db.bounded_connection import BoundedConnection
from app.db.postgresql import parameters
from app.db.session import Database
from app.jobs.enqueue import TASK
from app.jobs.entries import Entries
from app.jobs.flavours import run_unbroken
from app.jobs.run import JobTable
from app.jobs.runner import Runner

UPKEEP = "upkeep"


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
    queue.job_manager = entries = Entries(connector, settings.jobs.job_lost_seconds)
    add_runner(queue, database, settings)
    add_upkeep(queue, entries, JobTable(database), settings.jobs)
    return queue


def add_runner(queue: App, database: Database, settings: Settings) -> None:
    """Add the task that runs jobs of all kinds."""
    table = JobTable(database)
    runner = Runner(database, settings, unfinished="queued")

    @queue.task(name=TASK, pass_context=True, retry=Backoff(settings.jobs.job_backoff_seconds))
    async def run_job(context: JobContext, job_id: int) -> None:
        row = await run_unbroken(partial(table.start, job_id))
        if row is None:  # withdrawn, or at its end although its worker died before it said so here
            return
        may_retry = context.job.attempts < settings.jobs.job_retries
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
