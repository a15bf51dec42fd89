"""Store with each job the trace of the request that queued it."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import bindparam, delete, insert, select, update

from app.kit.db.database import Database
from app.kit.db.engine import AsyncConnection
from app.kit.db.model import Record
from app.kit.jobs.enqueue import JobQueue
from app.kit.jobs.kinds import JobKind
from app.kit.telemetry.models import JobTrace

PROPAGATOR = TraceContextTextMapPropagator()
HEADER = "traceparent"
of_job = JobTrace.job_id == bindparam("key")
FIND = select(JobTrace.queued_by, JobTrace.tried_by).where(of_job)
FORGET = delete(JobTrace).where(of_job)
NOTE_ATTEMPT = update(JobTrace).where(of_job)


def traceparent() -> str | None:
    """Return the current span, if its trace is recorded; it may have ended."""
    if not get_current_span().get_span_context().trace_flags.sampled:
        return None
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier)
    return carrier.get(HEADER)


class TracedQueue(JobQueue):
    """Stores the current trace with each job that it passes on to the queue."""

    def __init__(self, queue: JobQueue) -> None:
        super().__init__(queue.kinds)
        self._queue = queue

    async def defer(self, connection: AsyncConnection, job_id: int, kind: JobKind) -> None:
        """Add a job; the trace of a retry replaces that of the first request."""
        current = traceparent()
        if current is not None:
            await connection.execute(FORGET, {"key": job_id})
            await connection.execute(insert(JobTrace), {"job_id": job_id, "queued_by": current})
        await self._queue.defer(connection, job_id, kind)

    def wake(self) -> None:
        """Look for new jobs."""
        self._queue.wake()


async def find_trace(database: Database, job_id: int) -> Record | None:
    """Return the traces of a job."""
    async with database.read() as connection:
        found = await connection.execute(FIND, {"key": job_id})
        return found.one_or_none()


async def note_attempt(database: Database, job_id: int) -> None:
    """Store the current span, of an attempt, so that the next one can be linked to it."""
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier)
    async with database.transaction() as connection:
        await connection.execute(NOTE_ATTEMPT, {"key": job_id, "tried_by": carrier[HEADER]})


# {%- endfilter +%}
