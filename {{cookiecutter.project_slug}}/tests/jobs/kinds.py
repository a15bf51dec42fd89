"""Kinds of jobs for tests: they do what their parameter says."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import asyncio
import time
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from anyio import sleep
from pydantic import BaseModel

from app.core.errors import ConflictError, UnavailableError
from app.jobs.flavours import run_in_loop
from app.jobs.kind import Kind
from app.jobs.run import Run

Deed: TypeAlias = Literal[
    "succeed", "fail", "refuse", "starve", "hang", "nap", "block", "astonish", "babble", "listen"
]


class Behaviour(BaseModel):
    """What a job shall do."""

    does: Deed


async def behave(run: Run, parameters: Behaviour) -> dict[str, Any]:
    if parameters.does == "fail":
        raise RuntimeError("secret")
    if parameters.does == "refuse":
        raise ConflictError("this cannot be done")
    if parameters.does == "starve":
        raise UnavailableError("the database does not answer")
    if parameters.does == "babble":
        raise ConflictError("half of a pair: \ud800")
    while parameters.does == "hang":
        await run_in_loop(sleep, 0.01)
    if parameters.does == "block":
        await run_in_loop(asyncio.to_thread, time.sleep, 30)
    await run.record(f"begun {uuid4()}")  # under a name of its own each time, so that all count
    await run.record("done")
    if parameters.does == "nap":
        await run_in_loop(sleep, 0.2)
    if parameters.does == "listen":
        await run.beat()
    if parameters.does == "astonish":
        return {"no JSON": object()}
    return {"attempt": run.attempt}


# {% endfilter %}
BEHAVE = Kind("behave", Behaviour, behave, timeout_seconds=5)
BRIEF = Kind("brief", Behaviour, behave, timeout_seconds=0.1)
ALONE = Kind("alone", Behaviour, behave, timeout_seconds=5, lane="processor")
