"""The statements about jobs.

Each change of a running job names its attempt (a fencing token): a process that has lost the job to
another one cannot change it. The database's clock sets all times.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Float, bindparam, case, delete, null, select, update
# {% if cookiecutter.database == "sqlite" %}
from sqlalchemy.dialects.sqlite import insert
# {% else %}
from sqlalchemy.dialects.postgresql import insert
# {% endif %}

from app.kit.db.clock import database_time
from app.kit.db.engine import AsyncConnection
from app.kit.db.model import Record
from app.kit.errors import ConflictError, NotFoundError
from app.kit.jobs.models import Job, JobCheckpoint, JobStatus
from app.kit.schemas import PageQuery, RowPage, cut_page


class JobQueries:
    """Jobs from the request to their end; the caller owns the transaction."""

    def __init__(self) -> None:
        self._table = table = Job.__table__
        self._get = select(table).where(Job.id == bindparam("key"))
        self._list = (
            select(table)
            .where(Job.id > bindparam("after"))
            .order_by(Job.id)
            .limit(bindparam("limit"))
        )
        is_owned = Job.user_id == bindparam("owner")
        self._get_owned = self._get.where(is_owned)
        self._list_owned = self._list.where(is_owned)
        self._add = (
            insert(Job)
            .values(
                status="queued",
                attempts=0,
                progress=0.0,
                is_cancel_requested=False,
                created_at=database_time(),
            )
            .on_conflict_do_nothing(index_elements=[Job.idempotency_key])
            .returning(*table.c)
        )
        self._by_key = select(table).where(Job.idempotency_key == bindparam("key"))
        change = update(Job).where(Job.id == bindparam("key")).returning(*table.c)
        startable = Job.status.in_(bindparam("startable", expanding=True))
        self._start = change.where(startable).values(
            status="running",
            attempts=Job.attempts + 1,
            progress=0.0,
            error=None,
            started_at=database_time(),
            heartbeat_at=database_time(),
        )
        running = change.where(Job.status == "running", Job.attempts == bindparam("attempt"))
        self._heartbeat = running.values(heartbeat_at=database_time())
        self._end = running.values(finished_at=database_time())
        self._queue_again = running.values(status="queued", finished_at=null())
        # One statement, because a worker may put the job back into the queue at the same time.
        self._cancel = change.where(Job.status.in_(["queued", "running"])).values(
            status=case((Job.status == "queued", "cancelled"), else_=Job.status),
            finished_at=case((Job.status == "queued", database_time())),
            is_cancel_requested=Job.status == "running",
        )
        self._retry = change.where(Job.status.in_(["failed", "interrupted"])).values(
            status="queued", is_cancel_requested=False, finished_at=None
        )
        old = (
            select(Job.id)
            .where(Job.finished_at < database_time(-bindparam("keep_seconds", type_=Float())))
            .limit(bindparam("limit"))
        )
        self._purge = delete(Job).where(Job.id.in_(old))
        self._mark_done = insert(JobCheckpoint).on_conflict_do_nothing().returning(JobCheckpoint.id)
        self._is_done = select(JobCheckpoint.id).where(
            JobCheckpoint.job_id == bindparam("job_id"), JobCheckpoint.name == bindparam("name")
        )

    async def add(self, connection: AsyncConnection, new: Mapping[str, Any]) -> tuple[Record, bool]:
        """Queue a job; return it and whether it is new.

        If there is a job with the same idempotency key, return that job; raise ``ConflictError`` if
        another request used the key.
        """
        added = await connection.execute(self._add, dict(new))
        row = added.one_or_none()
        if row is not None:
            return row, True
        found = await connection.execute(self._by_key, {"key": new["idempotency_key"]})
        row = found.one()
        if row.fingerprint != new["fingerprint"]:
            raise ConflictError("this Idempotency-Key belongs to a different request")
        return row, False

    async def get(self, connection: AsyncConnection, id: int, owner: int | None = None) -> Record:
        """Return one job, of ``owner`` unless that is None; raise ``NotFoundError``."""
        statement = self._get if owner is None else self._get_owned
        result = await connection.execute(statement, {"key": id, "owner": owner})
        row = result.one_or_none()
        if row is None:
            raise NotFoundError(f"Job {id} does not exist")
        return row

    async def get_multi(
        self,
        connection: AsyncConnection,
        owner: int | None,
        page: PageQuery,
    ) -> RowPage:
        """Return a page of jobs, of ``owner`` unless that is None."""
        statement = self._list if owner is None else self._list_owned
        values = {"owner": owner, "after": page.after, "limit": page.limit + 1}
        result = await connection.execute(statement, values)
        return cut_page(result.all(), page.limit)

    async def cancel(self, connection: AsyncConnection, id: int) -> Record:
        """Cancel a queued job, or ask a running one to stop; raise ``ConflictError``."""
        result = await connection.execute(self._cancel, {"key": id})
        row = result.one_or_none()
        if row is None:
            raise ConflictError("the job has already ended")
        return row

    async def retry(self, connection: AsyncConnection, id: int) -> Record:
        """Queue a failed or interrupted job again; raise ``ConflictError``."""
        result = await connection.execute(self._retry, {"key": id})
        row = result.one_or_none()
        if row is None:
            raise ConflictError("only a failed or interrupted job can be retried")
        return row

    async def start(
        self, connection: AsyncConnection, id: int, startable: Sequence[JobStatus]
    ) -> Record | None:
        """Start a job whose status is one of ``startable``; otherwise return None."""
        result = await connection.execute(self._start, {"key": id, "startable": startable})
        return result.one_or_none()

    async def heartbeat(
        self,
        connection: AsyncConnection,
        id: int,
        attempt: int,
        **values: object,
    ) -> Record | None:
        """Store a heartbeat; return None if another process has the job."""
        values |= {"key": id, "attempt": attempt}
        result = await connection.execute(self._heartbeat, values)
        return result.one_or_none()

    async def end(
        self,
        connection: AsyncConnection,
        id: int,
        attempt: int,
        status: JobStatus,
        **values: object,
    ) -> Record | None:
        """Store the final status of the attempt; return None if another process has the job."""
        values |= {"key": id, "attempt": attempt}
        if status == "queued":
            result = await connection.execute(self._queue_again, values)
        else:
            result = await connection.execute(self._end, values | {"status": status})
        return result.one_or_none()

    async def purge(self, connection: AsyncConnection, keep_seconds: float, limit: int) -> int:
        """Delete up to ``limit`` jobs that ended that long ago; return how many it deleted."""
        values = {"keep_seconds": keep_seconds, "limit": limit}
        result = await connection.execute(self._purge, values)
        return result.rowcount

    async def mark_done(
        self,
        connection: AsyncConnection,
        id: int,
        name: str,
        data: dict[str, Any] | None,
    ) -> bool:
        """Store that a step of a job is done; return whether it was the first time."""
        values = {"job_id": id, "name": name, "data": data}
        return await connection.scalar(self._mark_done, values) is not None

    async def is_done(self, connection: AsyncConnection, id: int, name: str) -> bool:
        """Return whether a step of a job is done."""
        return await connection.scalar(self._is_done, {"job_id": id, "name": name}) is not None


jobs = JobQueries()

# {%- endfilter +%}
