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
from threading import Event
from typing import Any, Literal, Self, TypeAlias
from uuid import uuid4

import pytest
from anyio import sleep
from pydantic import BaseModel
from sqlalchemy import func, select, update

from app.core.config import Settings
from app.db.base import Job, JobCheckpoint
from app.db.session import Database
from app.jobs.kinds import KINDS
from app.kit.db.clock import database_time
from app.kit.db.model import Record
from app.kit.errors import ConflictError, UnavailableError
from app.kit.jobs.calls import await_from_job
from app.kit.jobs.context import JobContext
# {% if cookiecutter.job_queue == "procrastinate" %}
from app.kit.jobs.defer import ProcrastinateQueue as JobQueue
from app.kit.jobs.enqueue import Enqueue
# {% else %}
from app.kit.jobs.enqueue import Enqueue, JobQueue
# {% endif %}
from app.kit.jobs.kinds import JobKind
from app.kit.jobs.queries import jobs
from app.kit.jobs.store import JobStore

LEAVING = Event()  # ends the jobs that were to outlast it
Deed: TypeAlias = Literal[
    "succeed",
    "fail",
    "refuse",
    "starve",
    "hang",
    "nap",
    "outlast",
    "block",
    "astonish",
    "babble",
    "listen",
]


class Behaviour(BaseModel):
    """What a job shall do."""

    does: Deed


async def behave(job: JobContext[Settings], parameters: Behaviour) -> dict[str, Any]:
    if parameters.does == "fail":
        raise RuntimeError("secret")
    if parameters.does == "refuse":
        raise ConflictError("this cannot be done")
    if parameters.does == "starve":
        raise UnavailableError("the database does not answer")
    if parameters.does == "babble":
        raise ConflictError("half of a pair: \ud800")
    while parameters.does == "hang":
        await await_from_job(sleep, 0.01)
    if parameters.does == "block":
        await await_from_job(asyncio.to_thread, time.sleep, 30)
    await job.mark_done(f"begun {uuid4()}")  # under a name of its own each time, so that all count
    await job.mark_done("done")
    if parameters.does == "nap":
        await await_from_job(sleep, 0.2)
    while parameters.does == "outlast" and not LEAVING.is_set():
        await await_from_job(sleep, 0.01)
    if parameters.does == "listen":
        await job.heartbeat()
    if parameters.does == "astonish":
        return {"no JSON": object()}
    return {"attempt": job.attempt}


QUEUE = JobQueue(KINDS)
BEHAVE = JobKind("behave", Behaviour, behave, timeout_seconds=5)
BRIEF = JobKind("brief", Behaviour, behave, timeout_seconds=0.1)
ALONE = JobKind("alone", Behaviour, behave, timeout_seconds=5, queue="cpu")


async def queue(database: Database, does: Deed, *, kind: JobKind = BEHAVE, count: int = 1) -> int:
    """Queue so many jobs of the tests and return the id of the last."""
    enqueue = Enqueue(QUEUE)
    async with database.transaction() as connection:
        rows = [await enqueue(connection, kind, Behaviour(does=does)) for _ in range(count)]
    return rows[-1].id


async def take(database: Database, id: int, *, heartbeat_ago: float) -> None:
    """Start a job as a process that sent its last heartbeat so many seconds ago."""
    heartbeat_at = database_time(-heartbeat_ago)
    async with database.transaction() as connection:
        row = await jobs.start(connection, id, JobStore.startable)
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
        return await jobs.get(connection, id)


async def count(database: Database, status: str) -> int:
    """Count the jobs of a status."""
    counting = select(func.count()).select_from(Job).where(Job.status == status)
    async with database.read() as connection:
        return await connection.scalar(counting) or 0


async def count_done(database: Database, name: str) -> int:
    """Count the checkpoints of all jobs whose names begin like this."""
    is_counted = JobCheckpoint.name.startswith(name)
    counting = select(func.count()).select_from(JobCheckpoint).where(is_counted)
    async with database.read() as connection:
        return await connection.scalar(counting) or 0
# {% endfilter %}


def set_clock_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set Python's clock 40 s ahead, as on another host; the database keeps its own."""

    class AheadDatetime(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            return super().now(tz) + dt.timedelta(seconds=40)

    monkeypatch.setattr(dt, "datetime", AheadDatetime)
# {% if cookiecutter.job_queue == "procrastinate" %}


if __name__ == "__main__":
    import gc

    from app.worker import main

    gc.enable()  # which the package of the tests has switched off
    KINDS[BEHAVE.name] = BEHAVE
    main()
# {% endif %}
