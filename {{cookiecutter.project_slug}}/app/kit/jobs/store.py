"""Jobs in the database.

Whoever runs a job names its attempt with every change: after a job was given to somebody else, or
was taken back, the one who ran it before changes nothing any more.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import bindparam, case, delete, select, update
# {% if cookiecutter.database == "sqlite" %}
from sqlalchemy.dialects.sqlite import insert
# {% else %}
from sqlalchemy.dialects.postgresql import insert
# {% endif %}

from app.crud.base import CRUDBase, Record
from app.kit.db.engine import AsyncConnection
from app.kit.errors import ConflictError
from app.kit.jobs.models import Effect, Job
from app.schemas.job import JobStatus


class CRUDJob(CRUDBase[Job, BaseModel, BaseModel]):
    """Jobs from the request to their end."""

    def __init__(self) -> None:
        super().__init__(Job)
        own = Job.user_id == bindparam("owner")
        change = update(Job).where(Job.id == bindparam("key")).returning(*self.table.c)
        self._get_own = self._get.where(own)
        self._page_own = self._page.where(own)
        self._add = (
            insert(Job)
            .on_conflict_do_nothing(index_elements=[Job.idempotency_key])
            .returning(*self.table.c)
        )
        self._by_key = select(self.table).where(Job.idempotency_key == bindparam("key"))
        # {% if cookiecutter.job_queue == "in_process" %}
        self._next = (
            select(Job.id)
            .where(Job.status == "queued", Job.kind.in_(bindparam("kinds", expanding=True)))
            .order_by(Job.id)
            .limit(1)
        )
        waits = Job.status == "queued"
        # {% else %}
        # The queue hands out a job once at a time: if it runs already, its worker has died.
        waits = Job.status.in_(["queued", "running"])
        # {% endif %}
        self._start = change.where(waits).values(
            status="running", attempts=Job.attempts + 1, progress=0.0, error=None
        )
        self._run = change.where(Job.status == "running", Job.attempts == bindparam("attempt"))
        # {% if cookiecutter.job_queue == "in_process" %}
        self._interrupt = (
            update(Job)
            .where(Job.status == "running", Job.heartbeat_at < bindparam("since"))
            .values(
                status=case((Job.is_cancel_requested, "cancelled"), else_="interrupted"),
                error="the process that ran it came to its end",
            )
            .returning(Job.id)
        )
        # {% endif %}
        # In one statement, which sees a job that is just being put back as it is after that.
        self._cancel = change.where(Job.status.in_(["queued", "running"])).values(
            status=case((Job.status == "queued", "cancelled"), else_=Job.status),
            finished_at=case(
                (Job.status == "queued", bindparam("now", type_=Job.finished_at.type))
            ),
            is_cancel_requested=Job.status == "running",
        )
        self._retry = change.where(Job.status.in_(["failed", "interrupted"])).values(
            status="queued", is_cancel_requested=False, finished_at=None
        )
        old = select(Job.id).where(Job.finished_at < bindparam("before")).limit(bindparam("limit"))
        self._forget = delete(Job).where(Job.id.in_(old))
        self._record = insert(Effect).on_conflict_do_nothing().returning(Effect.id)
        self._recorded = select(Effect.id).where(
            Effect.job_id == bindparam("job_id"), Effect.name == bindparam("name")
        )

    async def add(self, connection: AsyncConnection, new: Mapping[str, Any]) -> tuple[Record, bool]:
        """Queue a job and return it and whether it is new.

        A job with the same idempotency key is returned instead; raise ``ConflictError`` if it is
        about something else.
        """
        values = {
            "status": "queued",
            "attempts": 0,
            "progress": 0.0,
            "is_cancel_requested": False,
            "created_at": dt.datetime.now(dt.UTC),
        }
        added = await connection.execute(self._add, {**values, **new})
        row = added.one_or_none()
        if row is not None:
            return row, True
        found = await connection.execute(self._by_key, {"key": new["idempotency_key"]})
        row = found.one()
        if row.fingerprint != new["fingerprint"]:
            raise ConflictError("this Idempotency-Key came with another request before")
        return row, False

    async def get_for(self, connection: AsyncConnection, id: int, owner: int | None) -> Record:
        """Return one job, of ``owner`` unless that is None; raise ``NotFoundError``."""
        if owner is None:
            return await self.get(connection, id)
        result = await connection.execute(self._get_own, {"key": id, "owner": owner})
        return self._found(result.one_or_none(), id)

    async def get_multi_for(
        self,
        connection: AsyncConnection,
        owner: int | None,
        after: int,
        limit: int,
    ) -> Sequence[Record]:
        """Return up to ``limit`` jobs after a key, of ``owner`` unless that is None."""
        if owner is None:
            return await self.get_multi(connection, after=after, limit=limit)
        values = {"owner": owner, "after": after, "limit": limit}
        result = await connection.execute(self._page_own, values)
        return result.all()

    async def cancel(self, connection: AsyncConnection, id: int) -> Record:
        """Withdraw a queued job or ask a running one to stop; raise ``ConflictError``."""
        values = {"key": id, "now": dt.datetime.now(dt.UTC)}
        result = await connection.execute(self._cancel, values)
        row = result.one_or_none()
        if row is None:
            raise ConflictError("the job has ended already")
        return row

    async def retry(self, connection: AsyncConnection, id: int) -> Record:
        """Queue a job again that failed or was interrupted; raise ``ConflictError``."""
        result = await connection.execute(self._retry, {"key": id})
        row = result.one_or_none()
        if row is None:
            raise ConflictError("only a job that failed or was interrupted can be tried again")
        return row

    # {% if cookiecutter.job_queue == "in_process" %}
    async def next(self, connection: AsyncConnection, kinds: Sequence[str]) -> int | None:
        """Return the id of the job of these kinds that waits longest."""
        return await connection.scalar(self._next, {"kinds": kinds})

    # {% endif %}
    async def start(self, connection: AsyncConnection, id: int) -> Record | None:
        """Take a job that waits, to run it; return None if it does not."""
        now = dt.datetime.now(dt.UTC)
        values = {"key": id, "started_at": now, "heartbeat_at": now}
        result = await connection.execute(self._start, values)
        return result.one_or_none()

    async def beat(
        self,
        connection: AsyncConnection,
        id: int,
        attempt: int,
        **values: object,
    ) -> Record | None:
        """Say that the job goes on; return None if it is somebody else's by now."""
        values |= {"key": id, "attempt": attempt, "heartbeat_at": dt.datetime.now(dt.UTC)}
        result = await connection.execute(self._run, values)
        return result.one_or_none()

    async def end(
        self,
        connection: AsyncConnection,
        id: int,
        attempt: int,
        status: JobStatus,
        **values: object,
    ) -> Record | None:
        """Say how the attempt ended; return None if the job is somebody else's by now."""
        values |= {"key": id, "attempt": attempt, "status": status}
        values["finished_at"] = None if status == "queued" else dt.datetime.now(dt.UTC)
        result = await connection.execute(self._run, values)
        return result.one_or_none()

    # {% if cookiecutter.job_queue == "in_process" %}
    async def interrupt(self, connection: AsyncConnection, since: dt.datetime) -> Sequence[int]:
        """Mark the running jobs of which nobody heard ``since`` then; return their ids."""
        values = {"since": since, "finished_at": dt.datetime.now(dt.UTC)}
        result = await connection.scalars(self._interrupt, values)
        return result.all()

    # {% endif %}
    async def forget(self, connection: AsyncConnection, before: dt.datetime, limit: int) -> int:
        """Delete up to ``limit`` jobs that ended ``before`` then; return how many there were."""
        result = await connection.execute(self._forget, {"before": before, "limit": limit})
        return result.rowcount

    async def record(
        self,
        connection: AsyncConnection,
        id: int,
        name: str,
        data: dict[str, Any] | None,
    ) -> bool:
        """Store an effect of a job; tell whether it is the first of this name."""
        values = {"job_id": id, "name": name, "data": data}
        return await connection.scalar(self._record, values) is not None

    async def has_recorded(self, connection: AsyncConnection, id: int, name: str) -> bool:
        """Tell whether the job has had this effect."""
        return await connection.scalar(self._recorded, {"job_id": id, "name": name}) is not None


job = CRUDJob()

# {%- endfilter +%}
