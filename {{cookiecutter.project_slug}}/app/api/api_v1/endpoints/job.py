"""Jobs, which continue after the response, and a sample job."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from fastapi import APIRouter, Request, Response

from app.api.deps import DatabaseDep, IdPath, PageDep
from app.api.job_deps import ACCEPTED, EnqueueDep, QueueDep, accepted
from app.api.permissions import VisibleOwner
from app.jobs.primes import PRIMES
from app.kit.http.openapi import failures
from app.kit.jobs.queries import jobs
from app.kit.schemas import Page
from app.schemas.job import JobAccepted, JobRead, PrimesParameters

router = APIRouter(tags=["jobs"])


@router.get("/jobs/")
async def list_jobs(db: DatabaseDep, page: PageDep, owner: VisibleOwner) -> Page[JobRead]:
    """List jobs in the order of their ids."""
    async with db.read() as connection:
        rows = await jobs.get_multi(connection, owner, page)
    return Page[JobRead].model_validate(rows)


@router.get("/jobs/{id}")
async def read_job(db: DatabaseDep, id: IdPath, owner: VisibleOwner) -> JobRead:
    """Return one job; poll it until it has ended."""
    async with db.read() as connection:
        row = await jobs.get(connection, id, owner)
    return JobRead.model_validate(row)


@router.delete("/jobs/{id}", status_code=202, responses=failures(409))
async def cancel_job(db: DatabaseDep, id: IdPath, owner: VisibleOwner) -> JobRead:
    """Cancel a queued job, or ask a running job to stop, which may take a moment."""
    async with db.transaction() as connection:
        await jobs.get(connection, id, owner)
        row = await jobs.cancel(connection, id)
    return JobRead.model_validate(row)


@router.post("/jobs/{id}/retry", status_code=202, responses=ACCEPTED | failures(409))
async def retry_job(
    db: DatabaseDep,
    id: IdPath,
    owner: VisibleOwner,
    queue: QueueDep,
    request: Request,
    response: Response,
) -> JobAccepted:
    """Run a failed or interrupted job again."""
    async with db.transaction() as connection:
        await jobs.get(connection, id, owner)
        row = await queue.retry(connection, id)
    return accepted(request, response, row)


@router.post("/tasks/", status_code=202, responses=ACCEPTED | failures(409))
async def start_task(
    db: DatabaseDep,
    enqueue: EnqueueDep,
    parameters: PrimesParameters,
    request: Request,
    response: Response,
) -> JobAccepted:
    """Start a CPU-bound sample job, which counts primes."""
    async with db.transaction() as connection:
        row = await enqueue(connection, PRIMES, parameters)
    return accepted(request, response, row)


# {%- endfilter +%}
