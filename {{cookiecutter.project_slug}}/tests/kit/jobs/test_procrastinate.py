"""Jobs that workers run."""

import asyncio
import datetime as dt
import json
import logging
import signal
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from unittest.mock import AsyncMock

import anyio
import pytest
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient
from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job, Status
from procrastinate.schema import SchemaManager

from app.core.config import Settings
from app.db.session import Database
from app.jobs.kinds import KINDS
from app.kit.db.engine import call_from_async
from app.kit.jobs.procrastinate import (
    MAINTENANCE,
    ExponentialBackoff,
    RetryJobError,
    create_procrastinate,
)
from app.kit.jobs.worker import longest_grace
from app.kit.logging import JsonFormatter
from tests.support.databases import ALEMBIC, Execute, new_database
from tests.support.job_requests import BEHAVING, JOBS, SUCCEED, behave
from tests.support.jobs import BRIEF, Deed, change, count, count_done, get, queue, set_clock_ahead
from tests.support.process import environment, run
from tests.support.workers import reach, worker_process

WAITING = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
async def worker(settings: Settings, database: Database) -> AsyncGenerator[App]:
    """Lend the queue as a worker has it."""
    async with create_procrastinate(settings, database, KINDS).open_async() as worker:
        # Upkeep comes when a test asks for it, and not when the clock does.
        worker.periodic_registry.periodic_tasks.clear()
        yield worker


async def work(worker: App) -> None:
    """Do what is due now."""
    await worker.run_worker_async(wait=False, listen_notify=False, install_signal_handlers=False)


async def test_queue_knows_the_database_by_all_that_its_url_says(
    settings: Settings, database: Database
) -> None:
    url = settings.database_url.update_query_dict({"application_name": "a b+c"})
    told = settings.model_copy(update={"database_url": url})
    async with create_procrastinate(told, database, KINDS).open_async() as worker:
        (row,) = await worker.connector.execute_query_all_async("SHOW application_name")
    assert row == {"application_name": "a b+c"}


async def test_job_runs_to_its_end(database: Database, worker: App) -> None:
    id = await call_from_async(partial(queue, database, "succeed"))
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.result, job.progress) == ("succeeded", {"attempt": 1}, 1)
    assert not list(await worker.job_manager.list_jobs_async())


@pytest.mark.parametrize(
    ("does", "error"),
    [
        ("fail", "internal error; see the service log"),
        ("starve", "the database does not answer"),
    ],
)
async def test_failed_job_is_tried_again_and_given_up(
    database: Database, worker: App, does: Deed, error: str
) -> None:
    id = await call_from_async(partial(queue, database, does))
    job = await call_from_async(partial(get, database, id))
    with anyio.fail_after(10):
        while job.status == "queued":
            await work(worker)
            job = await call_from_async(partial(get, database, id))
    assert (job.status, job.attempts, job.error) == ("failed", 2, error)


def test_jobs_end_before_others_take_them(settings: Settings) -> None:
    assert longest_grace(settings, 3) == 3
    hasty = settings.model_copy(update={"job_lost_seconds": 5, "job_heartbeat_seconds": 2})
    assert longest_grace(hasty, 3) == 1


def test_each_attempt_waits_twice_as_long() -> None:
    entry = Job(id=1, queue="io", lock=None, queueing_lock=None, task_name="run_job")

    def wait_seconds(error: BaseException, attempts: int) -> float:
        job = entry.evolve(attempts=attempts)
        decision = ExponentialBackoff(3).get_retry_decision(exception=error, job=job)
        assert decision is not None
        assert decision.retry_at is not None
        return (decision.retry_at - dt.datetime.now(dt.UTC)).total_seconds()

    for attempts, seconds in enumerate((3, 6, 12)):
        assert wait_seconds(RetryJobError(), attempts) == pytest.approx(seconds, abs=1)
    assert wait_seconds(asyncio.CancelledError(), 2) == pytest.approx(0, abs=1)


async def test_refused_job_is_not_tried_again(database: Database, worker: App) -> None:
    id = await call_from_async(partial(queue, database, "refuse"))
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.attempts, job.error) == ("failed", 1, "this cannot be done")


@pytest.mark.parametrize("does", ["astonish", "babble"])
async def test_result_that_cannot_be_stored_is_a_failure(
    database: Database, worker: App, does: Deed
) -> None:
    id = await call_from_async(partial(queue, database, does))
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.error) == ("failed", "the result could not be stored")


async def test_job_stops_at_its_timeout(database: Database, worker: App) -> None:
    id = await call_from_async(partial(queue, database, "hang", kind=BRIEF))
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert job.error == "timeout after 0.1 s"


async def test_withdrawn_job_does_not_run(
    client: TestClient, database: Database, worker: App
) -> None:
    id = behave(client, "succeed")
    assert client.delete(f"{JOBS}{id}").json()["status"] == "cancelled"
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.attempts) == ("cancelled", 0)


async def test_running_job_stops_when_asked(
    client: TestClient, database: Database, worker: App
) -> None:
    id = behave(client, "hang")
    async with anyio.create_task_group() as group:
        group.start_soon(work, worker)
        await reach(database, 1, "running")
        # Not in the loop: the worker there may hold the row for a heartbeat just now.
        await anyio.to_thread.run_sync(client.delete, f"{JOBS}{id}")
    assert client.get(f"{JOBS}{id}").json()["status"] == "cancelled"


async def test_job_that_is_just_being_put_back_is_withdrawn(
    client: TestClient, database: Database, worker: App, execute: Execute
) -> None:
    id = behave(client, "succeed")
    execute("UPDATE job SET status = 'running'")
    execute("BEGIN; UPDATE job SET status = 'queued'")
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, client.delete, f"{JOBS}{id}")
        try:
            with anyio.fail_after(10):
                while not await worker.connector.execute_query_all_async(WAITING):
                    await anyio.sleep(0.01)
        finally:
            execute("COMMIT")
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.is_cancel_requested) == ("cancelled", False)
    assert job.finished_at is not None


async def test_cancelled_job_is_not_started_again(
    client: TestClient, database: Database, worker: App
) -> None:
    id = behave(client, "succeed")
    await die(worker)
    assert client.delete(f"{JOBS}{id}").json()["is_cancel_requested"]
    await requeue_stalled(worker)
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.result) == ("cancelled", None)


async def test_failed_job_can_be_tried_again_by_hand(
    client: TestClient, database: Database, worker: App
) -> None:
    id = behave(client, "refuse")
    await work(worker)
    assert client.post(f"{JOBS}{id}/retry").json() == {"id": id, "status": "queued"}
    await work(worker)
    assert client.get(f"{JOBS}{id}").json()["attempts"] == 2


async def test_rollback_removes_the_job_from_the_queue(
    client: TestClient, worker: App, database: Database
) -> None:
    response = client.post(f"{BEHAVING}&rolls_back=true", json=SUCCEED)
    assert response.status_code == 409
    assert not list(await worker.job_manager.list_jobs_async())
    behave(client, "succeed")
    assert len(list(await worker.job_manager.list_jobs_async())) == 1


async def test_job_of_a_dead_worker_is_requeued(database: Database, worker: App) -> None:
    id = await call_from_async(partial(queue, database, "succeed"))
    await die(worker)
    await requeue_stalled(worker)
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.attempts) == ("succeeded", 1)


async def test_old_jobs_are_deleted(database: Database, worker: App, execute: Execute) -> None:
    await call_from_async(partial(queue, database, "succeed"))
    await work(worker)
    execute("UPDATE job SET finished_at = '2020-01-01'")
    await worker.tasks["purge_finished"].defer_async(timestamp=0)
    await work(worker)
    assert await call_from_async(partial(count, database, "succeeded")) == 0


@pytest.mark.parametrize(
    ("status", "is_cancel_requested", "end"),
    [("running", False, "failed"), ("queued", False, "failed"), ("running", True, "cancelled")],
)
async def test_job_fails_after_its_worker_died_on_every_attempt(
    database: Database, worker: App, status: str, is_cancel_requested: bool, end: str
) -> None:
    """Some of them died before they could say that they begin."""
    id = await call_from_async(partial(queue, database, "succeed"))
    for _ in range(2):
        await die(worker, status)
        asked = partial(change, database, id, is_cancel_requested=is_cancel_requested)
        await call_from_async(asked)
        await requeue_stalled(worker)
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.error) == (
        end,
        "gave up: the worker died on every attempt",
    )


async def test_job_that_was_tried_again_is_not_given_up(
    client: TestClient, database: Database, worker: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers may see at once that its last one is lost."""
    id = behave(client, "succeed")
    await worker.connector.execute_query_async("UPDATE procrastinate_jobs SET attempts = 1")
    await die(worker)
    seen = await worker.job_manager.get_stalled_jobs()
    await requeue_stalled(worker)
    assert client.post(f"{JOBS}{id}/retry").json()["status"] == "queued"
    monkeypatch.setattr(worker.job_manager, "get_stalled_jobs", AsyncMock(return_value=seen))
    await requeue_stalled(worker)
    job = await call_from_async(partial(get, database, id))
    assert job.status == "queued"


async def test_late_entry_of_an_earlier_attempt_does_not_stop_the_job(
    client: TestClient, database: Database, worker: App, execute: Execute
) -> None:
    """After the last try, a worker died between the end of the job and that of its entry."""
    id = behave(client, "succeed")
    await worker.connector.execute_query_async(
        "UPDATE procrastinate_jobs SET attempts = 1, status = 'doing'"
    )
    execute("UPDATE job SET status = 'failed', finished_at = now()")
    client.post(f"{JOBS}{id}/retry")
    await requeue_stalled(worker)
    await work(worker)
    job = await call_from_async(partial(get, database, id))
    assert job.status == "succeeded"
    assert not list(await worker.job_manager.list_jobs_async())


async def test_entry_of_an_own_task_ends_no_job(database: Database, worker: App) -> None:
    id = await call_from_async(partial(queue, database, "succeed"))
    await worker.connector.execute_query_async(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
        " VALUES ('own', 'own', jsonb_build_object('job_id', %(id)s::bigint), 'doing')",
        id=id,
    )
    await requeue_stalled(worker)
    assert [entry.queue for entry in await worker.job_manager.list_jobs_async()] == ["io"]
    job = await call_from_async(partial(get, database, id))
    assert job.status == "queued"


async def test_job_that_stands_in_the_queue_twice_is_taken_over_once(
    client: TestClient, database: Database, worker: App, execute: Execute
) -> None:
    """A worker died before it could say that the job failed, which was tried again meanwhile."""
    id = behave(client, "nap")
    execute("UPDATE job SET status = 'failed'")
    client.post(f"{JOBS}{id}/retry")
    await worker.run_worker_async(
        concurrency=2, wait=False, listen_notify=False, install_signal_handlers=False
    )
    job = await call_from_async(partial(get, database, id))
    assert (job.status, job.attempts) == ("succeeded", 2)
    assert not list(await worker.job_manager.list_jobs_async())


async def test_entry_is_changed_only_by_its_own_attempt(database: Database, worker: App) -> None:
    """Two workers may see at once that a third is lost, and one that seemed lost may be alive."""
    await call_from_async(partial(queue, database, "succeed"))
    await die(worker)
    manager = worker.job_manager
    (seen,) = await manager.get_stalled_jobs()
    await manager.retry_job(seen)
    await die(worker)  # before that, somebody has begun it
    await manager.retry_job(seen)
    await manager.finish_job(seen, Status.FAILED, delete_job=True)
    (entry,) = await manager.list_jobs_async()
    assert (entry.status, entry.attempts) == ("doing", 1)


async def test_clock_of_a_host_does_not_delay_a_retry(
    database: Database, worker: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call_from_async(partial(queue, database, "succeed"))
    await die(worker)
    (entry,) = await worker.job_manager.get_stalled_jobs()
    set_clock_ahead(monkeypatch)
    retry_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    await worker.job_manager.retry_job(entry, retry_at)
    (row,) = await worker.connector.execute_query_all_async(
        "SELECT extract(epoch FROM scheduled_at - now()) AS seconds FROM procrastinate_jobs"
    )
    assert float(row["seconds"]) == pytest.approx(2, abs=1)


async def die(worker: App, status: str = "running") -> None:
    """Take a job from the queue as a worker whose row is gone."""
    await worker.connector.execute_query_async(
        "UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'run_job'"
    )
    await worker.connector.execute_query_async("UPDATE job SET status = %(status)s", status=status)


async def requeue_stalled(worker: App) -> None:
    """Do what the clock asks for every five seconds."""
    with suppress(AlreadyEnqueued):
        await worker.tasks["requeue_stalled"].defer_async(timestamp=0)
    await worker.run_worker_async(
        queues=[MAINTENANCE], wait=False, listen_notify=False, install_signal_handlers=False
    )


async def test_entry_is_put_back_when_the_database_takes_it_again(
    database: Database, worker: App, caplog: pytest.LogCaptureFixture
) -> None:
    """While its worker lives, no other worker may."""
    execute = worker.connector.execute_query_async
    await call_from_async(partial(queue, database, "fail"))
    await execute("ALTER TABLE procrastinate_jobs ADD CONSTRAINT broken CHECK (attempts = 0)")
    living = asyncio.create_task(
        worker.run_worker_async(
            queues=["io"],
            install_signal_handlers=False,
            fetch_job_polling_interval=0.01,
        )
    )
    try:
        with anyio.fail_after(10):
            while "cannot be updated, retrying" not in caplog.text:
                await anyio.sleep(0.01)
        await execute("ALTER TABLE procrastinate_jobs DROP CONSTRAINT broken")
        await reach(database, 1, "failed")
    finally:
        living.cancel()
        await asyncio.wait([living])


async def test_log_tells_the_request(
    client: TestClient, worker: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(JsonFormatter())
    caplog.set_level(logging.INFO, "app.kit.jobs")
    headers = {"X-Request-ID": "asked-for-it"}
    client.post(BEHAVING, json=SUCCEED, headers=headers)
    await work(worker)
    logged = [json.loads(line) for line in caplog.text.splitlines()]
    lines = [line for line in logged if line["logger"].startswith("app.kit.jobs")]
    assert {line["request_id"] for line in lines} == {"asked-for-it"}
    assert len(lines) == 2


async def test_service_without_its_queue_is_not_ready(client: TestClient, worker: App) -> None:
    rename = "ALTER FUNCTION {} RENAME TO {}"
    names = "procrastinate_defer_jobs_v1", "elsewhere"
    await worker.connector.execute_query_async(rename.format(*names))
    try:
        assert client.get("/health/ready").status_code == 503
    finally:
        await worker.connector.execute_query_async(rename.format(*reversed(names)))
    assert client.get("/health/ready").status_code == 200


def test_tables_of_the_queue_are_those_of_the_package() -> None:
    """If this fails, the package has new tables: see ``migrations/versions/jobs_0002_queue.py``."""
    newest = max(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    assert ScriptDirectory.from_config(ALEMBIC).get_revision("jobs_0002").module.LAST == newest


@pytest.mark.slow
def test_worker_before_the_first_migration_says_what_to_run(
    settings: Settings, tmp_path: Path
) -> None:
    with new_database(tmp_path) as url:
        ended = run("app.worker", environment(settings, DATABASE_URL=url))
    said = "The worker cannot start: the database has no tables yet; run ./prestart.sh first."
    assert (ended.returncode, ended.stderr) == (1, "")
    assert json.loads(ended.stdout)["message"] == said


@pytest.mark.slow
async def test_no_job_is_lost_or_done_twice_when_a_worker_is_killed(
    settings: Settings, database: Database
) -> None:
    await call_from_async(partial(queue, database, "nap", count=100))
    patience = {"JOB_LOST_SECONDS": "5"}  # a busy machine may hold up the one that lives
    with worker_process(settings, **patience) as one, worker_process(settings, **patience):
        await reach(database, 50, "succeeded")
        await reach(database, 5, "running")  # more than one worker runs, so both do
        one.kill()
        killed_at = monotonic()
        await reach(database, 100, "succeeded")
    assert monotonic() - killed_at < 30
    assert await call_from_async(partial(count_done, database, "done")) == 100
    # Again only what the one that was killed had in its hands.
    assert 100 <= await call_from_async(partial(count_done, database, "begun")) <= 104


@pytest.mark.slow
async def test_worker_finishes_its_job_after_sigterm(
    settings: Settings, database: Database
) -> None:
    await call_from_async(partial(queue, database, "nap"))
    with worker_process(settings) as worker:
        await reach(database, 1, "running")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    assert await call_from_async(partial(count, database, "succeeded")) == 1


@pytest.mark.slow
async def test_job_that_outlasts_the_grace_goes_to_another_worker(
    settings: Settings, database: Database
) -> None:
    await put_back(settings, database, "hang")
    with worker_process(settings):
        await reach(database, 1, "running")


@pytest.mark.slow
async def test_thread_does_not_go_on_with_a_job_that_was_put_back(
    settings: Settings, database: Database
) -> None:
    await put_back(settings, database, "block")


async def put_back(settings: Settings, database: Database, does: Deed) -> None:
    """Let a worker leave that has such a job in hand."""
    await call_from_async(partial(queue, database, does))
    with worker_process(settings, GRACE_SECONDS="0.1") as worker:
        await reach(database, 1, "running")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    assert await call_from_async(partial(count, database, "queued")) == 1
