"""Read how many jobs wait and run, and how long the oldest has waited."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import datetime as dt
from typing import NamedTuple

from sqlalchemy import case, func, select

from app.kit.db.clock import database_time
from app.kit.db.database import Database
from app.kit.jobs.models import Job

# Jobs that were tried may wait for their next attempt on purpose.
WAITING_SINCE = case(((Job.status == "queued") & (Job.attempts == 0), Job.created_at))
COUNT = (
    select(
        Job.kind,
        Job.status,
        func.count().label("jobs"),
        func.min(WAITING_SINCE, type_=Job.created_at.type).label("since"),
        database_time().label("now"),
    )
    .where(Job.status.in_(["queued", "running"]))
    .group_by(Job.kind, Job.status)
)


class JobCount(NamedTuple):
    """The jobs of a kind with a status; ``age_seconds`` is that of the oldest that was not tried."""

    kind: str
    status: str
    jobs: int
    age_seconds: float


async def count_jobs(database: Database) -> list[JobCount]:
    """Count the queued and running jobs of each kind."""
    async with database.read() as connection:
        found = await connection.execute(COUNT)
        rows = found.all()
    return [JobCount(row.kind, row.status, row.jobs, _age(row.since, row.now)) for row in rows]


def _age(since: dt.datetime | None, now: dt.datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


# {%- endfilter +%}
