"""Dependencies of endpoints that queue jobs."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from app.api.permissions import CallerId
from app.core.config import API_PREFIX
from app.kit.db.model import Record
from app.kit.http.state import lifespan_state
from app.kit.jobs.enqueue import Enqueue, JobQueue
from app.schemas.job import JobAccepted

# Documents the header that `accepted` sets, which FastAPI cannot infer.
LOCATION = {"description": "the address of the job", "schema": {"type": "string"}}
ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"headers": {"Location": LOCATION}}}
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="a repeated request with the same key returns the job of the first one",
    ),
]


async def get_queue(request: Request, user_id: CallerId) -> AsyncGenerator[Enqueue]:
    """Yield the caller's ``Enqueue``; wake the queue after the endpoint has committed."""
    queue: JobQueue = lifespan_state(request.scope)["jobs"]
    yield Enqueue(queue, user_id)
    queue.wake()


QueueDep = Annotated[Enqueue, Depends(get_queue, scope="function")]


async def get_enqueue(queue: QueueDep, key: Key = None) -> Enqueue:
    """Return an ``Enqueue`` that queues one job per idempotency key."""
    return replace(queue, idempotency_key=key)


EnqueueDep = Annotated[Enqueue, Depends(get_enqueue)]


def accepted(request: Request, response: Response, row: Record) -> JobAccepted:
    """Return the response for a queued job; set its ``Location`` header."""
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}{API_PREFIX}/jobs/{row.id}"
    return JobAccepted.model_validate(row)
