"""What clients send and get of jobs."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.kit.jobs.models import JobStatus
from app.kit.schemas import RequestModel, Utc, whole


class JobAccepted(BaseModel):
    """The answer to a request whose work goes on; ``Location`` says where to ask about it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    status: JobStatus


class JobRead(JobAccepted):
    """A job and how far it is."""

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
    """How far to count primes."""

    limit: Limit = 5_000_000
