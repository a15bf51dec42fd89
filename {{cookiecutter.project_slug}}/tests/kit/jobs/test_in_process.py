"""Jobs that the service runs itself."""

import datetime as dt
import json
import os
import signal
# {% if cookiecutter.auth %}
from collections.abc import AsyncGenerator, Generator
# {% else %}
from collections.abc import Generator
# {% endif %}
from functools import partial
from itertools import chain
from time import monotonic, sleep
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.db.session import Database
from app.jobs.kinds import KINDS
# {% if cookiecutter.auth %}
# {% endif %}
from app.kit.db.engine import call_from_async
from app.kit.errors import NotFoundError, UnavailableError
from app.kit.jobs.in_process import InProcessWorker, open_worker
from app.kit.jobs.polling import PollingJobStore
# {% if cookiecutter.auth %}
from tests.support import accounts
# {% endif %}
from tests.support.job_requests import JOBS, behave, ended, read
from tests.support.jobs import ALONE, LEAVING, change, queue, set_clock_ahead, take
from tests.support.jobs import get as get_job
from tests.support.process import process

OUTAGE = {"jobs cannot be started", "job maintenance failed"}
TIMES = ("created", "started", "finished")
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
VARIABLES = {
    "JOB_HEARTBEAT_SECONDS": "0.2",
    "JOB_LOST_SECONDS": "1",
    # {% if cookiecutter.auth %}
    "SECRET_KEY": accounts.KEY,
    # {% endif %}
    # {% if cookiecutter.rate_limit %}
    "RATE_LIMIT_REQUESTS": "1000000",
    # {% endif %}
}


# {% if cookiecutter.auth %}
@pytest.fixture
async def http(database: Database) -> AsyncGenerator[httpx2.Client]:
    """Talk to processes as a superuser, past any proxy of the developer's."""
    root = partial(accounts.add_caller, email="root@example.com", is_superuser=True)
    headers = await call_from_async(partial(root, database, accounts.TOKENS))
    with httpx2.Client(headers=headers, trust_env=False) as client:
        yield client


# {%- else %}
@pytest.fixture
def http() -> Generator[httpx2.Client]:
    """Talk to processes, past any proxy of the developer's."""
    with httpx2.Client(trust_env=False) as client:
        yield client


# {%- endif +%}


def test_job_runs_to_its_end(client: TestClient) -> None:
    job = ended(client, behave(client, "succeed"))
    assert (job["status"], job["result"], job["error"]) == ("succeeded", {"attempt": 1}, None)
    assert (job["attempts"], job["progress"]) == (1, 1.0)
    times = [dt.datetime.fromisoformat(job[f"{name}_at"]) for name in TIMES]
    assert times == sorted(times)


def test_primes_are_counted_in_a_child(client: TestClient) -> None:
    response = client.post("/api/v1/tasks/", json={"limit": 1_000_000})
    job = ended(client, response.json()["id"])
    assert (job["status"], job["result"]) == ("succeeded", {"primes": 78_498})


@pytest.mark.parametrize(
    ("does", "kind", "error"),
    [
        ("fail", "behave", "internal error; see the service log"),
        ("refuse", "behave", "this cannot be done"),
        ("starve", "behave", "the database does not answer"),
        ("astonish", "behave", "the result could not be stored"),
        ("babble", "behave", "the result could not be stored"),
        ("hang", "brief", "timeout after 0.1 s"),
    ],
)
def test_failure_is_a_sentence(client: TestClient, does: str, kind: str, error: str) -> None:
    job = ended(client, behave(client, does, kind=kind))
    assert (job["status"], job["error"]) == ("failed", error)


def test_failed_job_can_be_tried_again(client: TestClient) -> None:
    id = behave(client, "refuse")
    ended(client, id)
    response = client.post(f"{JOBS}{id}/retry")
    assert (response.status_code, response.json()) == (202, {"id": id, "status": "queued"})
    assert ended(client, id)["attempts"] == 2


def test_running_job_stops_when_asked(client: TestClient) -> None:
    id = behave(client, "hang")
    read(client, id, until={"running"})
    response = client.delete(f"{JOBS}{id}")
    assert (response.status_code, response.json()["is_cancel_requested"]) == (202, True)
    assert ended(client, id)["status"] == "cancelled"
    assert client.delete(f"{JOBS}{id}").status_code == 409
    assert client.post(f"{JOBS}{id}/retry").status_code == 409


def test_cancelled_task_makes_room(client: TestClient) -> None:
    id = client.post("/api/v1/tasks/", json={"limit": 50_000_000}).json()["id"]
    read(client, id, until={"running"})
    client.delete(f"{JOBS}{id}")
    assert ended(client, id)["status"] == "cancelled"
    id = client.post("/api/v1/tasks/", json={"limit": 2}).json()["id"]
    assert ended(client, id)["result"] == {"primes": 0}


def test_waiting_job_is_withdrawn_at_once(client: TestClient) -> None:
    running = behave(client, "hang", kind="alone")
    waiting = behave(client, "succeed", kind="alone")
    read(client, running, until={"running"})
    assert client.get(f"{JOBS}{waiting}").json()["status"] == "queued"
    assert client.delete(f"{JOBS}{waiting}").json()["status"] == "cancelled"
    client.delete(f"{JOBS}{running}")
    ended(client, running)
    job = ended(client, waiting)
    assert job["attempts"] == 0
    assert job["finished_at"] is not None


async def test_job_of_a_dead_process_is_interrupted(database: Database, settings: Settings) -> None:
    """A process that is killed leaves its jobs running; their heartbeat grows old."""
    lost = await call_from_async(partial(queue, database, "hang"))
    await call_from_async(partial(take, database, lost, heartbeat_ago=60))
    cancelled = await call_from_async(partial(queue, database, "hang"))
    await call_from_async(partial(take, database, cancelled, heartbeat_ago=60))
    await call_from_async(partial(change, database, cancelled, is_cancel_requested=True))
    alive = await call_from_async(partial(queue, database, "hang"))
    await call_from_async(partial(take, database, alive, heartbeat_ago=0))
    async with open_worker(database, settings, KINDS, grace_seconds=15):
        await reach(database, lost, "interrupted")
        await reach(database, cancelled, "cancelled")
    assert await status(database, alive) == "running"
    row = await call_from_async(partial(get_job, database, lost))
    assert row.error == "interrupted: the process that ran it has stopped"
    assert row.finished_at is not None


async def test_clock_of_a_host_does_not_interrupt_jobs(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await call_from_async(partial(queue, database, "hang"))
    await call_from_async(partial(take, database, id, heartbeat_ago=0))
    set_clock_ahead(monkeypatch)
    store = PollingJobStore(database)
    await call_from_async(partial(store.interrupt_stalled, settings.job_lost_seconds))
    await call_from_async(partial(store.purge_finished, settings.job_keep_days))
    assert await status(database, id) == "running"


async def test_job_that_outlasts_the_grace_is_interrupted(
    database: Database, settings: Settings
) -> None:
    id = await call_from_async(partial(queue, database, "hang"))
    async with open_worker(database, settings, KINDS, grace_seconds=0):
        await reach(database, id, "running")
    assert await status(database, id) == "interrupted"


@pytest.fixture
def leaving(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """End jobs that outlast the moment in which the worker begins to leave."""
    really_leave = InProcessWorker.leave

    def leave(worker: InProcessWorker, give_up_at: float) -> None:
        really_leave(worker, give_up_at)
        LEAVING.set()

    monkeypatch.setattr(InProcessWorker, "leave", leave)
    yield
    LEAVING.clear()


@pytest.mark.usefixtures("leaving")
async def test_shutdown_waits_for_running_jobs(database: Database, settings: Settings) -> None:
    id = await call_from_async(partial(queue, database, "outlast"))
    async with open_worker(database, settings, KINDS, grace_seconds=15):
        await reach(database, id, "running")
    assert await status(database, id) == "succeeded"


@pytest.mark.usefixtures("leaving")
async def test_no_job_starts_during_shutdown(database: Database, settings: Settings) -> None:
    """Though one that runs makes room for it."""
    first = await call_from_async(partial(queue, database, "outlast", kind=ALONE))
    second = await call_from_async(partial(queue, database, "succeed", kind=ALONE))
    async with open_worker(database, settings, KINDS, grace_seconds=15):
        await reach(database, first, "running")
    assert await status(database, first) == "succeeded"
    assert await status(database, second) == "queued"


async def test_queued_job_is_started_by_the_next_process(
    database: Database, settings: Settings
) -> None:
    id = await call_from_async(partial(queue, database, "succeed"))
    async with open_worker(database, settings, KINDS, grace_seconds=15):
        await reach(database, id, "succeeded")


async def test_old_jobs_are_deleted(database: Database, settings: Settings) -> None:
    id = await call_from_async(partial(queue, database, "succeed"))
    end = partial(change, database, id, status="succeeded", finished_at=LONG_AGO)
    await call_from_async(end)
    async with open_worker(database, settings, KINDS, grace_seconds=15):
        with anyio.fail_after(10), pytest.raises(NotFoundError):
            await reach(database, id, "deleted")


async def test_idle_worker_waits(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    really_start = PollingJobStore.start_next
    monkeypatch.setattr(
        PollingJobStore, "start_next", lambda *given: asked.append(given) or really_start(*given)
    )
    async with open_worker(database, settings, KINDS, grace_seconds=15) as worker:
        for times in (2, 4):  # there are two lanes
            with anyio.fail_after(10):
                while len(asked) < times:
                    await anyio.sleep(0.001)
            await anyio.sleep(0.01)
            assert len(asked) == times
            worker.wake()


async def test_worker_outlives_an_outage_of_the_database(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: Database) -> None:
        raise UnavailableError("the database does not answer")

    id = await call_from_async(partial(queue, database, "succeed"))
    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", fail)
        async with open_worker(database, settings, KINDS, grace_seconds=15) as worker:
            with anyio.fail_after(10):
                while not OUTAGE <= {*caplog.messages}:
                    await anyio.sleep(0.005)
            patch.undo()
            worker.wake()
            await reach(database, id, "succeeded")


@pytest.mark.slow
async def test_task_of_a_killed_service_is_interrupted(
    settings: Settings, http: httpx2.Client
) -> None:
    with process(settings, **VARIABLES) as (running, url):
        job = start_task(http, url, limit=50_000_000)
        wait_for(http, job, "running")
        running.kill()
        running.wait()
    with process(settings, **VARIABLES) as (_, url):
        job = f"{url}{urlsplit(job).path}"
        wait_for(http, job, "interrupted")
        http.post(f"{job}/retry").raise_for_status()
        wait_for(http, job, "running")


@pytest.mark.slow
async def test_service_finishes_its_job_and_starts_no_other_after_sigterm(
    database: Database, settings: Settings, http: httpx2.Client
) -> None:
    with process(settings, DRAIN_SECONDS="2", **VARIABLES) as (running, url):
        job = start_task(http, url, limit=3_000_000)
        wait_for(http, job, "running")
        running.send_signal(signal.SIGTERM)
        while http.get(f"{url}/health/ready").is_success:
            await anyio.sleep(0.02)
        late = start_task(http, url, limit=2)
        assert running.wait(20) == -signal.SIGTERM
    assert await status(database, id_of(job)) == "succeeded"
    assert await status(database, id_of(late)) == "queued"


@pytest.mark.slow
async def test_workers_run_each_job_once(
    settings: Settings, http: httpx2.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    log = ""
    with process(settings, WORKERS="2", **VARIABLES) as (running, url):
        while log.count("listening on") < 2:
            await anyio.sleep(0.1)
            log += capfd.readouterr().out
        jobs = [start_task(http, url, limit=500_000) for _ in range(20)]
        for job in jobs:
            wait_for(http, job, "succeeded")
        assert {http.get(job).json()["attempts"] for job in jobs} == {1}
        last = start_task(http, url, limit=500_000_000)
        wait_for(http, last, "running")
        ids = [id_of(job) for job in (*jobs, last)]
        with anyio.fail_after(10):  # the log may be behind
            while not all(starts(log, id) for id in ids):
                await anyio.sleep(0.1)
                log += capfd.readouterr().out
        started = {id: starts(log, id) for id in ids}
        assert {len(pids) for pids in started.values()} == {1}
        assert len({*chain(*started.values())}) == 2
        os.kill(*started[id_of(last)], signal.SIGKILL)
        await anyio.sleep(0.2)  # until the client notices that its connection is closed
        wait_for(http, last, "interrupted")
        running.terminate()
        assert running.wait(20) == 0


def starts(log: str, id: int) -> list[int]:
    """Return the process of each start of a job."""
    lines = [json.loads(line) for line in log.splitlines()]
    return [line["pid"] for line in lines if line["message"] == f"job {id} has started"]


def start_task(http: httpx2.Client, url: str, *, limit: int) -> str:
    """Return the address of the job."""
    answer = http.post(f"{url}/api/v1/tasks/", json={"limit": limit})
    return f"{url}{answer.raise_for_status().headers['Location']}"


def id_of(job: str) -> int:
    return int(job.rpartition("/")[2])


def wait_for(http: httpx2.Client, job: str, status: str) -> None:
    give_up_at = monotonic() + 20
    while http.get(job).json()["status"] != status:
        assert monotonic() < give_up_at, http.get(job).json()
        sleep(0.02)


async def reach(database: Database, id: int, expected: str) -> None:
    with anyio.fail_after(10):
        while await status(database, id) != expected:
            await anyio.sleep(0.005)


async def status(database: Database, id: int) -> str:
    row = await call_from_async(partial(get_job, database, id))
    return row.status
