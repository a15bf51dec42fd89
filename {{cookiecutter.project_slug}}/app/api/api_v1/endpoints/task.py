"""A sample of long work."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from fastapi import APIRouter, Request, Response

# {% if cookiecutter.auth %}
from app.api.auth import UNAUTHORIZED
# {% endif %}
from app.api.deps import DatabaseDep
from app.api.jobs import ACCEPTED, EnqueueDep, accepted
from app.jobs.primes import PRIMES
from app.schemas.job import JobAccepted, PrimesParameters

# {% if cookiecutter.auth %}
router = APIRouter(prefix="/tasks", tags=["jobs"], responses=UNAUTHORIZED)
# {% else %}
router = APIRouter(prefix="/tasks", tags=["jobs"])
# {% endif %}


@router.post("/", status_code=202, responses=ACCEPTED)
async def start_task(
    db: DatabaseDep,
    enqueue: EnqueueDep,
    parameters: PrimesParameters,
    request: Request,
    response: Response,
) -> JobAccepted:
    """Count primes, which keeps a processor busy for a while."""
    async with db.write() as connection:
        row = await enqueue(connection, PRIMES, parameters)
    return accepted(request, response, row)


# {%- endfilter +%}
