"""Jobs that the service runs itself."""

import pytest
from fastapi.testclient import TestClient

from tests.jobs.client import JOBS, behave, ended, read


def test_job_runs_to_its_end(client: TestClient) -> None:
    job = ended(client, behave(client, "succeed"))
    assert (job["status"], job["result"], job["error"]) == ("succeeded", {"attempt": 1}, None)
    assert (job["attempts"], job["progress"]) == (1, 1.0)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]


def test_primes_are_counted_in_a_child(client: TestClient) -> None:
    response = client.post("/api/v1/tasks/", json={"limit": 1_000_000})
    job = ended(client, response.json()["id"])
    assert (job["status"], job["result"]) == ("succeeded", {"primes": 78_498})


@pytest.mark.parametrize(
    ("does", "kind", "error"),
    [
        ("fail", "behave", "a fault of the service, which its log tells"),
        ("refuse", "behave", "this cannot be done"),
        ("hang", "brief", "it took longer than 0.1 s"),
    ],
)
def test_failure_is_a_sentence(client: TestClient, does: str, kind: str, error: str) -> None:
    if kind == "brief" and does == "fail":
        pytest.fail("the endpoint of the tests fails itself then")
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
