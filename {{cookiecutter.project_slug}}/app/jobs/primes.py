"""A sample of work that keeps a processor busy."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from typing import Any

from app.jobs.sieve import count_primes
from app.kit.jobs.calls import run_in_child, run_in_loop
from app.kit.jobs.context import Kind, Run
from app.schemas.job import PrimesParameters

CHUNK = 500_000


async def primes(run: Run, parameters: PrimesParameters) -> dict[str, Any]:
    """Count primes in a child process, which dies with the attempt."""
    found = 0
    for start in range(0, parameters.limit, CHUNK):
        stop = min(start + CHUNK, parameters.limit)
        found += await run_in_loop(run_in_child, count_primes, start, stop)
        await run.report(stop / parameters.limit)
    await run.record("counted", {"primes": found})
    return {"primes": found}


# {% endfilter %}
PRIMES = Kind("primes", PrimesParameters, primes, timeout_seconds=300, lane="processor")
