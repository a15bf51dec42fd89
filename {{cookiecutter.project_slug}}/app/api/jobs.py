"""Who asks for jobs, for the signatures of endpoints."""

# {% if cookiecutter.job_queue == "in_process" %}
from collections.abc import AsyncGenerator
# {% endif %}
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

# {% if cookiecutter.auth %}
from app.api.auth import CurrentUser
# {% endif %}
from app.crud.base import Record
from app.kit.jobs.enqueue import Enqueue
from app.schemas.job import JobAccepted

# For OpenAPI, which does not see the header that `accepted` sets.
LOCATION = {"description": "Where to ask about the job", "schema": {"type": "string"}}
ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"headers": {"Location": LOCATION}}}


# {% if cookiecutter.auth %}
async def get_user_id(caller: CurrentUser) -> int | None:
    """Return whose jobs are asked for."""
    return caller.id


async def get_owner(caller: CurrentUser) -> int | None:
    """Return whose jobs the caller may see: None stands for everybody's."""
    return None if caller.is_superuser else caller.id


# {%- else %}
async def get_user_id() -> int | None:
    """Return whose jobs are asked for: nobody's, because nobody logs in here."""
    return None


async def get_owner() -> int | None:
    """Return whose jobs the caller may see: None stands for everybody's."""
    return None


# {%- endif +%}


UserId = Annotated[int | None, Depends(get_user_id)]
OwnerDep = Annotated[int | None, Depends(get_owner)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="the same key, with the same request, gives the same job",
    ),
]


# {% if cookiecutter.job_queue == "in_process" %}
async def get_queue(request: Request, user_id: UserId) -> AsyncGenerator[Enqueue]:
    """Lend what queues jobs; after the endpoint has committed them, they are begun."""
    yield Enqueue(user_id, idempotency_key=None)
    request.state.worker.wake()


QueueDep = Annotated[Enqueue, Depends(get_queue, scope="function")]
# {% else %}
async def get_queue(user_id: UserId) -> Enqueue:
    """Return what queues jobs."""
    return Enqueue(user_id, idempotency_key=None)


QueueDep = Annotated[Enqueue, Depends(get_queue)]
# {% endif %}


async def get_enqueue(queue: QueueDep, key: Key = None) -> Enqueue:
    """Return what queues new jobs, the same one for the same key."""
    return replace(queue, idempotency_key=key)


EnqueueDep = Annotated[Enqueue, Depends(get_enqueue)]


def accepted(request: Request, response: Response, row: Record) -> JobAccepted:
    """Answer that a job goes on, and say where to ask about it."""
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/api/v1/jobs/{row.id}"
    return JobAccepted.model_validate(row)
