"""Jobs in the database, without anybody who runs them."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import datetime as dt

import pytest
from sqlalchemy import update

from app.crud.crud_job import job
from app.db.base import Job
from app.db.session import Database
from app.jobs import run
from tests.jobs.table import count, queue

NOW = dt.datetime.now(dt.UTC)


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
