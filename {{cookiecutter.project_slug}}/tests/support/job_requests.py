"""Jobs that tests queue through an endpoint, and what a client does about them."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from time import monotonic, sleep
from typing import Any

from fastapi import Request, Response
from fastapi.testclient import TestClient

from app.api.deps import DatabaseDep
from app.api.job_deps import EnqueueDep, accepted
from app.jobs.kinds import KINDS
from app.kit.errors import ConflictError
from app.schemas.job import JobAccepted
from tests.support.jobs import Behaviour

JOBS = "/api/v1/jobs/"
BEHAVING = "/behave?kind=behave"
SUCCEED = {"does": "succeed"}
ONCE = {"Idempotency-Key": "once"}
ENDED = {"succeeded", "failed", "interrupted", "cancelled"}


async def start(
    db: DatabaseDep,
    enqueue: EnqueueDep,
    behaviour: Behaviour,
    kind: str,
    request: Request,
    response: Response,
    *,
    rolls_back: bool = False,
) -> JobAccepted:
    async with db.transaction() as connection:
        row = await enqueue(connection, KINDS[kind], behaviour)
        if rolls_back:
            raise ConflictError("something else could not be stored")
    return accepted(request, response, row)


# {% endfilter %}
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
