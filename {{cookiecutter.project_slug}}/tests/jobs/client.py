"""What a client does about jobs."""

from time import monotonic, sleep
from typing import Any

from fastapi.testclient import TestClient

JOBS = "/api/v1/jobs/"
ENDED = {"succeeded", "failed", "interrupted", "cancelled"}


def behave(client: TestClient, does: str, *, kind: str = "behave", key: str | None = None) -> int:
    """Queue a job of the tests and return its id."""
    headers = {"Idempotency-Key": key} if key else {}
    response = client.post(f"/behave?kind={kind}", json={"does": does}, headers=headers)
    assert response.status_code == 202, response.text
    return response.json()["id"]


def read(client: TestClient, id: int, *, until: set[str]) -> dict[str, Any]:
    """Ask about a job until it has one of these statuses."""
    give_up_at = monotonic() + 10
    while True:
        job = client.get(f"{JOBS}{id}").json()
        if job["status"] in until:
            return job
        assert monotonic() < give_up_at, job
        sleep(0.005)


def ended(client: TestClient, id: int) -> dict[str, Any]:
    """Ask about a job until it has ended."""
    return read(client, id, until=ENDED)
