"""Queue jobs in the transaction of the caller."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel

from app.kit.db.engine import AsyncConnection
from app.kit.db.model import Record
from app.kit.jobs.kinds import JobKind, JobKinds, find_kind
from app.kit.jobs.queries import jobs
from app.kit.logging import request_id


class JobQueue:
    """The queue: the table of jobs, which processes poll."""

    def __init__(self, kinds: JobKinds) -> None:
        self.kinds = kinds

    async def defer(self, connection: AsyncConnection, job_id: int, kind: JobKind) -> None:
        """Add a job to a queue beside the table, if there is one, in the caller's transaction."""

    def wake(self) -> None:
        """Look for new jobs, after the commit of a transaction that may have added one."""


@dataclass(frozen=True)
class Enqueue:
    """Queues the jobs of one request."""

    queue: JobQueue
    user_id: int | None = None
    idempotency_key: str | None = None

    async def __call__(
        self,
        connection: AsyncConnection,
        kind: JobKind,
        parameters: BaseModel,
        *,
        fingerprint: str | None = None,
    ) -> Record:
        """Queue a job, or return the one with the same idempotency key.

        Raise ``ConflictError`` if another request has used that key. Requests are the same if
        ``fingerprint`` or, without one, the parameters are equal.
        """
        request = f"{kind.name} {fingerprint or parameters.model_dump_json()}"
        new = {
            "fingerprint": sha256(request.encode()).hexdigest(),
            "kind": kind.name,
            "parameters": parameters.model_dump(mode="json"),
            "user_id": self.user_id,
            "request_id": request_id.get(),
            "idempotency_key": self.idempotency_key and f"{self.user_id}/{self.idempotency_key}",
        }
        row, is_new = await jobs.add(connection, new)
        if is_new:
            await self.queue.defer(connection, row.id, kind)
        return row

    async def retry(self, connection: AsyncConnection, id: int) -> Record:
        """Queue a failed or interrupted job again; raise ``ConflictError``."""
        row = await jobs.retry(connection, id)
        await self.queue.defer(connection, row.id, find_kind(self.queue.kinds, row.kind))
        return row


# {%- endfilter +%}
