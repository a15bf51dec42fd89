"""Attempts at jobs, without a queue, and what becomes of old ones."""

import datetime as dt
from functools import partial

import anyio
import pytest
from sqlalchemy import update

from app.core.config import Settings
from app.core.errors import UnavailableError
from app.core.jobs import JobSettings
from app.crud.base import Record
from app.crud.crud_job import job
from app.db.base import Job
from app.db.engine import run_from_loop
from app.db.session import Database
from app.jobs import run
from app.jobs.run import Run
from app.jobs.runner import Runner
from tests.jobs.jobs import Deed, change, count, get, queue, take

NOW = dt.datetime.now(dt.UTC)


async def begun(database: Database, does: Deed) -> Record:
    """Queue a job, take it, and return its row."""
    id = await run_from_loop(partial(queue, database, does))
    await run_from_loop(partial(take, database, id, heartbeat_ago=0))
    return await run_from_loop(partial(get, database, id))


async def test_attempt_ends_when_somebody_else_has_the_job(
    database: Database, settings: Settings
) -> None:
    row = await begun(database, "hang")
    await run_from_loop(partial(change, database, row.id, attempts=2))
    with anyio.fail_after(2):
        await Runner(database, settings, unfinished="queued").run(row)
    row = await run_from_loop(partial(get, database, row.id))
    assert (row.status, row.attempts) == ("running", 2)


async def test_attempt_goes_on_though_a_heartbeat_fails(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Run) -> None:
        raise UnavailableError("the database does not answer")

    row = await begun(database, "nap")
    monkeypatch.setattr(Run, "beat", fail)
    assert await Runner(database, settings, unfinished="queued").run(row) == "succeeded"


async def test_job_that_is_done_when_it_hears_of_its_end_has_succeeded(
    database: Database, settings: Settings
) -> None:
    row = await begun(database, "listen")
    await run_from_loop(partial(change, database, row.id, is_cancel_requested=True))
    patient = settings.model_copy(update={"jobs": JobSettings()})
    assert await Runner(database, patient, unfinished="queued").run(row) == "succeeded"


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def test_old_jobs_are_deleted_a_bounded_number_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    await queue(database, "succeed", count=5)
    async with database.write() as connection:
        await connection.execute(update(Job).values(finished_at=NOW - dt.timedelta(days=8)))
        assert await job.forget(connection, NOW, 2) == 2
    assert await count(database, "queued") == 3
    await run.JobTable(database).forget(keep_days=9)
    assert await count(database, "queued") == 3
    await run.JobTable(database).forget(keep_days=7)
    assert await count(database, "queued") == 0


# {%- endfilter +%}
