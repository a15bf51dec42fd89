"""Find jobs where the table itself is the queue."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from collections.abc import Sequence

from sqlalchemy import Float, bindparam, case, select, update

from app.kit.db.clock import database_time
from app.kit.db.model import Record
from app.kit.jobs.models import Job, JobStatus
from app.kit.jobs.store import JobStore

NEXT = (
    select(Job.id)
    .where(Job.status == "queued", Job.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(Job.id)
    .limit(1)
)
INTERRUPT_STALLED = (
    update(Job)
    .where(
        Job.status == "running",
        Job.heartbeat_at < database_time(-bindparam("lost_seconds", type_=Float())),
    )
    .values(
        status=case((Job.is_cancel_requested, "cancelled"), else_="interrupted"),
        error="interrupted: the process that ran it has stopped",
        finished_at=database_time(),
    )
    .returning(Job.id)
)


class PollingJobStore(JobStore):
    """The jobs of a database, where processes poll for queued jobs."""

    startable: tuple[JobStatus, ...] = ("queued",)

    async def start_next(self, kinds: Sequence[str]) -> Record | None:
        """Start the job of these kinds that has waited longest; return None if there is none."""
        while True:
            async with self._database.read() as connection:
                id = await connection.scalar(NEXT, {"kinds": kinds})
            if id is None:
                return None
            row = await self.start(id)
            if row is not None:  # otherwise another process was faster
                return row

    async def interrupt_stalled(self, lost_seconds: float) -> None:
        """Interrupt the jobs without a heartbeat for ``lost_seconds``: their process has stopped."""
        async with self._database.transaction() as connection:
            await connection.execute(INTERRUPT_STALLED, {"lost_seconds": lost_seconds})


# {%- endfilter +%}
