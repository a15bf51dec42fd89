"""Jobs as their clients see them, attempts without a queue, and what becomes of old ones."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import anyio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.core.config import Settings
from app.db.base import Job
from app.db.session import Database
from app.jobs.kinds import KINDS
from app.kit.db.engine import call_from_async
from app.kit.db.model import Record
from app.kit.errors import UnavailableError
from app.kit.jobs import store
from app.kit.jobs.context import JobContext
from app.kit.jobs.executor import JobExecutor
from app.kit.jobs.queries import jobs
from app.kit.jobs.settings import JobSettings
from tests.support import databases
# {% if cookiecutter.auth %}
from tests.support.accounts import caller
# {% endif %}
from tests.support.client import join
from tests.support.job_requests import BEHAVING, JOBS, ONCE, SUCCEED, behave
from tests.support.jobs import Deed, change, count, get, queue, take

NOW = dt.datetime.now(dt.UTC)
TASKS = "/api/v1/tasks/"


def test_task_is_accepted_and_can_be_asked_about(client: TestClient) -> None:
    response = client.post(TASKS, json={"limit": 100})
    assert response.status_code == 202
    id = response.json()["id"]
    assert response.json() == {"id": id, "status": "queued"}
    assert response.headers["Location"] == f"{JOBS}{id}"
    task = client.get(response.headers["Location"]).json()
    assert (task["kind"], task["parameters"]) == ("primes", {"limit": 100})


def test_document_names_the_location(client: TestClient) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    answers = [
        operation["responses"]["202"]
        for name, path in paths.items()
        for operation in path.values()
        if name.startswith("/api/") and "202" in operation["responses"]
    ]
    accepted = [it for it in answers if "JobAccepted" in str(it)]
    assert len(accepted) > 1
    assert all("Location" in it["headers"] for it in accepted)


def test_location_has_the_prefix_of_the_proxy(app: FastAPI, client: TestClient) -> None:
    behind = join(app, client, root_path="/prefix")
    behind.headers = client.headers
    location = behind.post(TASKS, json={"limit": 100}).headers["Location"]
    assert location.startswith(f"/prefix{JOBS}")
    assert behind.get(location).status_code == 200


@pytest.mark.parametrize("limit", [1, 500_000_001, "many", None])
def test_task_is_bounded(client: TestClient, limit: object) -> None:
    assert client.post(TASKS, json={"limit": limit}).status_code == 422


def test_unknown_job_is_not_found(client: TestClient) -> None:
    for answer in (
        client.get(f"{JOBS}1"),
        client.delete(f"{JOBS}1"),
        client.post(f"{JOBS}1/retry"),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (404, "Job 1 does not exist")


def test_job_of_a_kind_that_is_gone_is_not_tried_again(
    client: TestClient, execute: databases.Execute
) -> None:
    id = behave(client, "succeed")
    execute("UPDATE job SET kind = 'gone', status = 'failed', finished_at = created_at")
    response = client.post(f"{JOBS}{id}/retry")
    assert response.status_code == 409
    assert response.json()["detail"] == "unknown job kind: gone"
    assert client.get(f"{JOBS}{id}").json()["status"] == "failed"


def test_retried_job_ignores_an_earlier_request_to_cancel(
    client: TestClient, execute: databases.Execute
) -> None:
    id = behave(client, "succeed")
    execute(
        "UPDATE job SET status = 'failed', finished_at = created_at, is_cancel_requested = true"
    )
    assert client.post(f"{JOBS}{id}/retry").status_code == 202
    assert client.get(f"{JOBS}{id}").json()["is_cancel_requested"] is False


def test_next_page_begins_after_the_last_id(client: TestClient) -> None:
    ids = [behave(client, "succeed") for _ in range(3)]
    first = client.get(JOBS, params={"limit": 2}).json()
    assert [it["id"] for it in first["items"]] == ids[:2]
    rest = client.get(JOBS, params={"limit": 2, "after": first["next_after"]}).json()
    assert [it["id"] for it in rest["items"]] == ids[2:]


def test_same_key_gives_the_same_job(client: TestClient) -> None:
    with ThreadPoolExecutor(4) as threads:
        ids = set(threads.map(lambda _: behave(client, "succeed", key="once"), range(8)))
    assert len(ids) == 1
    assert len(client.get(JOBS).json()["items"]) == 1


def test_only_new_jobs_have_a_key(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            makes_one = method == "post" and "202" in operation["responses"]
            is_new = makes_one and not path.endswith("/retry")
            assert ("Idempotency-Key" in names) == is_new, (method, path)


def test_same_key_with_another_request_is_a_conflict(client: TestClient) -> None:
    behave(client, "succeed", key="once")
    again = partial(client.post, headers=ONCE)
    assert again(BEHAVING, json={"does": "fail"}).status_code == 409
    assert again("/behave?kind=brief", json=SUCCEED).status_code == 409
    assert again(TASKS, json={"limit": 100}).status_code == 409


def test_key_is_checked(client: TestClient) -> None:
    response = client.post(TASKS, json={}, headers={"Idempotency-Key": "two words"})
    assert response.status_code == 422


def test_job_is_queued_with_its_transaction_or_not_at_all(client: TestClient) -> None:
    response = client.post(f"{BEHAVING}&rolls_back=true", json=SUCCEED)
    assert response.status_code == 409
    assert client.get(JOBS).json()["items"] == []


async def begun(database: Database, does: Deed) -> Record:
    """Queue a job, take it, and return its row."""
    id = await call_from_async(partial(queue, database, does))
    await call_from_async(partial(take, database, id, heartbeat_ago=0))
    return await call_from_async(partial(get, database, id))


async def test_retry_resets_the_job(database: Database) -> None:
    id = await call_from_async(partial(queue, database, "succeed"))
    await call_from_async(partial(change, database, id, progress=0.5, error="it failed before"))
    await call_from_async(partial(take, database, id, heartbeat_ago=0))
    row = await call_from_async(partial(get, database, id))
    assert (row.attempts, row.progress, row.error) == (1, 0, None)


async def test_progress_is_visible(database: Database, settings: Settings) -> None:
    attempt = JobContext(database, settings, await begun(database, "succeed"))
    await call_from_async(partial(attempt.report, 0.5))
    row = await call_from_async(partial(get, database, attempt.id))
    assert row.progress == 0.5


async def test_effect_is_recorded_once(database: Database, settings: Settings) -> None:
    attempt = JobContext(database, settings, await begun(database, "succeed"))
    assert not await call_from_async(partial(attempt.is_done, "mail"))
    assert await call_from_async(partial(attempt.mark_done, "mail"))
    assert not await call_from_async(partial(attempt.mark_done, "mail"))
    assert await call_from_async(partial(attempt.is_done, "mail"))


async def test_attempt_ends_when_another_process_has_the_job(
    database: Database, settings: Settings
) -> None:
    row = await begun(database, "hang")
    await call_from_async(partial(change, database, row.id, attempts=2))
    with anyio.fail_after(2):
        await JobExecutor(database, settings, KINDS, unfinished="queued").run(row)
    row = await call_from_async(partial(get, database, row.id))
    assert (row.status, row.attempts) == ("running", 2)


async def test_attempt_goes_on_though_a_heartbeat_fails(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: JobContext[Settings]) -> None:
        raise UnavailableError("the database does not answer")

    row = await begun(database, "nap")
    monkeypatch.setattr(JobContext, "heartbeat", fail)
    assert await JobExecutor(database, settings, KINDS, unfinished="queued").run(row) == "succeeded"


@pytest.mark.parametrize(("may_retry", "status"), [(True, "queued"), (False, "failed")])
async def test_job_of_a_kind_that_is_not_known_yet_may_be_tried_again(
    database: Database, settings: Settings, may_retry: bool, status: str
) -> None:
    row = await begun(database, "succeed")
    await call_from_async(partial(change, database, row.id, kind="of the next release"))
    row = await call_from_async(partial(get, database, row.id))
    runner = JobExecutor(database, settings, KINDS, unfinished="queued")
    assert await runner.run(row, may_retry=may_retry) == status


async def test_job_that_finishes_while_it_is_cancelled_succeeds(
    database: Database, settings: Settings
) -> None:
    row = await begun(database, "listen")
    await call_from_async(partial(change, database, row.id, is_cancel_requested=True))
    patient = settings.model_copy(update=JobSettings().model_dump())
    assert await JobExecutor(database, patient, KINDS, unfinished="queued").run(row) == "succeeded"


# {% if cookiecutter.auth %}
@pytest.fixture
def ada(client: TestClient) -> dict[str, str]:
    return caller(client, "ada@example.com")


@pytest.fixture
def bob(client: TestClient) -> dict[str, str]:
    return caller(client, "bob@example.com")


def test_only_their_owner_and_superusers_see_jobs(
    client: TestClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    path = client.post(BEHAVING, json=SUCCEED, headers=ada).headers["Location"]
    for headers, status, seen in ((ada, 200, 1), (bob, 404, 0), ({}, 200, 1)):
        assert client.get(path, headers=headers).status_code == status
        assert len(client.get(JOBS, headers=headers).json()["items"]) == seen


def test_other_users_cannot_change_jobs(
    client: TestClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    path = client.post(BEHAVING, json=SUCCEED, headers=ada).headers["Location"]
    assert client.delete(path, headers=bob).status_code == 404
    assert client.post(f"{path}/retry", headers=bob).status_code == 404


def test_keys_of_two_callers_are_two(
    client: TestClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    ids = [
        client.post(BEHAVING, json=SUCCEED, headers=ONCE | headers).json()["id"]
        for headers in (ada, ada, bob)
    ]
    assert ids[0] == ids[1] != ids[2]


# {% endif %}
# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def test_old_jobs_are_deleted_a_bounded_number_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PURGE_BATCH", 2)
    await queue(database, "succeed", count=5)
    async with database.transaction() as connection:
        await connection.execute(update(Job).values(finished_at=NOW - dt.timedelta(days=8)))
        assert await jobs.purge(connection, 0, 2) == 2
    assert await count(database, "queued") == 3
    await store.JobStore(database).purge_finished(keep_days=9)
    assert await count(database, "queued") == 3
    await store.JobStore(database).purge_finished(keep_days=7)
    assert await count(database, "queued") == 0


# {%- endfilter +%}
