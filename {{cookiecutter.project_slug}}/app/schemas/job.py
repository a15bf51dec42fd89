"""Request and response bodies of jobs."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.kit.jobs.models import JobStatus
from app.kit.schemas import RequestModel, Utc, whole


class JobAccepted(BaseModel):
    """A queued job; the ``Location`` header is the address to poll."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    status: JobStatus


class JobRead(JobAccepted):
    """A job, its progress and its result."""

    kind: str
    attempts: Annotated[int, Field(description="how often it was begun")]
    progress: Annotated[float, Field(description="from 0 to 1")]
    parameters: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    is_cancel_requested: bool
    created_at: Utc
    started_at: Utc | None
    finished_at: Utc | None


Limit = Annotated[int, Field(strict=True, ge=2, le=500_000_000), BeforeValidator(whole)]


class PrimesParameters(RequestModel):
    """The number below which primes are counted."""

    limit: Limit = 5_000_000
