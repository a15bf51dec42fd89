"""Queue jobs for the workers of procrastinate."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from sqlalchemy import BigInteger, bindparam, text

from app.kit.db.engine import AsyncConnection
from app.kit.jobs.enqueue import JobQueue
from app.kit.jobs.kinds import JobKind

TASK = "run_job"
DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :task, 0, NULL, NULL, jsonb_build_object('job_id', :job_id), NULL)
        ::procrastinate_job_to_defer_v1
    ])
    """
).bindparams(bindparam("job_id", type_=BigInteger))


class ProcrastinateQueue(JobQueue):
    """The queue in procrastinate's own table; PostgreSQL notifies the workers on commit."""

    async def defer(self, connection: AsyncConnection, job_id: int, kind: JobKind) -> None:
        """Add a job, in the transaction of the caller."""
        await connection.execute(DEFER, {"queue": kind.queue, "task": TASK, "job_id": job_id})


# {%- endfilter +%}
