# {% if cookiecutter.job_queue == "procrastinate" %}
"""Jobs of the tests: they do what their parameter says, and are queued and read past the API.

``python -m tests.support.jobs`` is a worker that knows them.
"""
# {% else %}
"""Jobs of the tests: they do what their parameter says, and are queued and read past the API."""
# {% endif %}

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import asyncio
import datetime as dt
import time
# {% if cookiecutter.job_queue == "in_process" %}
from threading import Event
# {% endif %}
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from anyio import sleep
from pydantic import BaseModel
from sqlalchemy import func, select, update

from app.crud.base import Record
from app.db.base import Effect, Job
from app.db.session import Database
from app.kit.errors import ConflictError, UnavailableError
from app.kit.jobs.calls import run_in_loop
from app.kit.jobs.context import Kind, Run
from app.kit.jobs.enqueue import Enqueue
from app.kit.jobs.store import job

# {% if cookiecutter.job_queue == "in_process" %}
LEAVING = Event()  # ends the jobs that were to outlast it
# {% endif %}
Deed: TypeAlias = Literal[
    "succeed",
    "fail",
    "refuse",
    "starve",
    "hang",
    "nap",
    # {% if cookiecutter.job_queue == "in_process" %}
    "outlast",
    # {% endif %}
    "block",
    "astonish",
    "babble",
    "listen",
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
    # {% if cookiecutter.job_queue == "in_process" %}
    while parameters.does == "outlast" and not LEAVING.is_set():
        await run_in_loop(sleep, 0.01)
    # {% endif %}
    if parameters.does == "listen":
        await run.beat()
    if parameters.does == "astonish":
        return {"no JSON": object()}
    return {"attempt": run.attempt}


BEHAVE = Kind("behave", Behaviour, behave, timeout_seconds=5)
BRIEF = Kind("brief", Behaviour, behave, timeout_seconds=0.1)
ALONE = Kind("alone", Behaviour, behave, timeout_seconds=5, lane="processor")


async def queue(database: Database, does: Deed, *, kind: Kind = BEHAVE, count: int = 1) -> int:
    """Queue so many jobs of the tests and return the id of the last."""
    enqueue = Enqueue(user_id=None, idempotency_key=None)
    async with database.transaction() as connection:
        rows = [await enqueue(connection, kind, Behaviour(does=does)) for _ in range(count)]
    return rows[-1].id


async def take(database: Database, id: int, *, heartbeat_ago: float) -> None:
    """Take a job as somebody did who was not heard of since, in seconds."""
    heartbeat_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=heartbeat_ago)
    async with database.transaction() as connection:
        row = await job.start(connection, id)
        assert row is not None
        aged = update(Job).where(Job.id == id).values(heartbeat_at=heartbeat_at)
        await connection.execute(aged)


async def change(database: Database, id: int, **values: object) -> None:
    """Change the row of a job."""
    async with database.transaction() as connection:
        await connection.execute(update(Job).where(Job.id == id).values(**values))


async def get(database: Database, id: int) -> Record:
    """Return the row of a job."""
    async with database.read() as connection:
        return await job.get(connection, id)


async def count(database: Database, status: str) -> int:
    """Count the jobs of a status."""
    counting = select(func.count()).select_from(Job).where(Job.status == status)
    async with database.read() as connection:
        return await connection.scalar(counting) or 0


async def effects(database: Database, name: str) -> int:
    """Count the effects of all jobs whose names begin like this."""
    counting = select(func.count()).select_from(Effect).where(Effect.name.startswith(name))
    async with database.read() as connection:
        return await connection.scalar(counting) or 0
# {% if cookiecutter.job_queue == "procrastinate" %}


if __name__ == "__main__":
    import gc

    from app.kit.jobs.enqueue import KINDS
    from app.worker import run

    gc.enable()  # which the package of the tests has switched off
    KINDS[BEHAVE.name] = BEHAVE
    run()
# {% endif %}
# {% endfilter %}
