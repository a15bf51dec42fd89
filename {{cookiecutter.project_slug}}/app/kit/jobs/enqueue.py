"""Queue jobs of the kinds there are, in the transaction of the one who asks for them."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel
# {% if cookiecutter.job_queue == "procrastinate" %}
from sqlalchemy import BigInteger, bindparam, text
# {% endif %}

from app.crud.base import Record
from app.jobs.photos import PHOTO  # example
from app.jobs.primes import PRIMES
from app.kit.db.engine import AsyncConnection
from app.kit.errors import ConflictError
from app.kit.jobs.context import Kind
from app.kit.jobs.store import job
from app.kit.logging import request_id

KINDS = {
    kind.name: kind
    for kind in (
        PHOTO,  # example
        PRIMES,
    )
}
# {% if cookiecutter.job_queue == "procrastinate" %}
TASK = "run_job"
DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:lane, :task, 0, NULL, NULL, jsonb_build_object('job_id', :job_id), NULL)
        ::procrastinate_job_to_defer_v1
    ])
    """
).bindparams(bindparam("job_id", type_=BigInteger))
# {% endif %}


@dataclass(frozen=True)
class Enqueue:
    """Queues jobs for one request of one user."""

    user_id: int | None
    idempotency_key: str | None

    async def __call__(
        self,
        connection: AsyncConnection,
        kind: Kind,
        parameters: BaseModel,
        *,
        same: str | None = None,
    ) -> Record:
        """Queue a job, or return the one of the same idempotency key.

        Raise ``ConflictError`` if that was asked for by another request: ``same`` tells them apart,
        or else the parameters do.
        """
        request = f"{kind.name} {same or parameters.model_dump_json()}"
        new = {
            "fingerprint": sha256(request.encode()).hexdigest(),
            "kind": kind.name,
            "parameters": parameters.model_dump(mode="json"),
            "user_id": self.user_id,
            "request_id": request_id.get(),
            "idempotency_key": self.idempotency_key and f"{self.user_id}/{self.idempotency_key}",
        }
        # {% if cookiecutter.job_queue == "in_process" %}
        row, _ = await job.add(connection, new)
        # {% else %}
        row, is_new = await job.add(connection, new)
        if is_new:
            await _defer(connection, row.id, kind)
        # {% endif %}
        return row

    async def again(self, connection: AsyncConnection, id: int) -> Record:
        """Queue a job again that failed or was interrupted; raise ``ConflictError``."""
        row = await job.retry(connection, id)
        # {% if cookiecutter.job_queue == "procrastinate" %}
        await _defer(connection, row.id, find_kind(row.kind))
        # {% else %}
        find_kind(row.kind)  # or it would wait for nobody
        # {% endif %}
        return row


def find_kind(name: str) -> Kind:
    """Return the kind of a stored job; raise ``ConflictError`` if this release has none such."""
    try:
        return KINDS[name]
    except KeyError:
        raise ConflictError(f"nobody here knows jobs of the kind {name}") from None
# {% if cookiecutter.job_queue == "procrastinate" %}


async def _defer(connection: AsyncConnection, job_id: int, kind: Kind) -> None:
    """Give a job to the workers, who hear of it as soon as the transaction is committed."""
    await connection.execute(DEFER, {"lane": kind.lane, "task": TASK, "job_id": job_id})
# {% endif %}
# {% endfilter %}
