"""The kinds of jobs there are."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from anyio import to_process
from pydantic import BaseModel

from app.jobs.flavours import run_in_loop
from app.jobs.primes import count_primes
from app.jobs.run import Run
from app.schemas.job import PrimesParameters

CHUNK = 500_000
# Work that keeps a processor busy runs one at a time in each process that runs jobs.
Lane = Literal["processor", "waiting"]


@dataclass(frozen=True)
class Kind:
    """What a job of this kind does. ``body`` takes a ``Run`` and the parameters."""

    name: str
    parameters: type[BaseModel]
    body: Callable[..., Any]
    timeout_seconds: float
    lane: Lane = "waiting"


async def primes(run: Run, parameters: PrimesParameters) -> dict[str, Any]:
    """Count primes in a child process, which dies with the attempt."""
    found = 0
    for start in range(0, parameters.limit, CHUNK):
        stop = min(start + CHUNK, parameters.limit)
        count = partial(to_process.run_sync, count_primes, start, stop, cancellable=True)
        found += await run_in_loop(count)
        await run.report(stop / parameters.limit)
    await run.record("counted", {"primes": found})
    return {"primes": found}


# {% endfilter %}
PRIMES = Kind("primes", PrimesParameters, primes, timeout_seconds=300, lane="processor")
KINDS = {kind.name: kind for kind in (PRIMES,)}
