"""Put jobs into the queue of procrastinate, by its own function, in the caller's transaction."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from sqlalchemy import BigInteger, bindparam, text

from app.db.engine import AsyncConnection
from app.jobs.run import Lane

TASK = "run_job"
DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:lane, :task, 0, NULL, NULL, jsonb_build_object('job_id', :job_id), NULL)
        ::procrastinate_job_to_defer_v1
    ])
    """
).bindparams(bindparam("job_id", type_=BigInteger))


async def defer(connection: AsyncConnection, job_id: int, lane: Lane) -> None:
    """Queue a job: a worker hears of it as soon as the transaction is committed."""
    await connection.execute(DEFER, {"lane": lane, "task": TASK, "job_id": job_id})


# {%- endfilter +%}
