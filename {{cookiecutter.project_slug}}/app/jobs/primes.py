"""A sample of a CPU-bound job."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from typing import Any

from app.core.config import Settings
from app.jobs.sieve import count_primes
from app.kit.jobs.calls import await_from_job, run_in_child
from app.kit.jobs.context import JobContext
from app.kit.jobs.kinds import JobKind
from app.schemas.job import PrimesParameters

CHUNK = 500_000


async def primes(job: JobContext[Settings], parameters: PrimesParameters) -> dict[str, Any]:
    """Count primes in a child process, which is killed when the job is cancelled."""
    found = 0
    for start in range(0, parameters.limit, CHUNK):
        stop = min(start + CHUNK, parameters.limit)
        found += await await_from_job(run_in_child, count_primes, start, stop)
        await job.report(stop / parameters.limit)
    await job.mark_done("counted", {"primes": found})
    return {"primes": found}


# {% endfilter %}
PRIMES = JobKind("primes", PrimesParameters, primes, timeout_seconds=300, queue="cpu")
