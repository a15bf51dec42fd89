"""Jobs of tests, queued through an endpoint of their own."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
# {% if cookiecutter.job_queue == "in_process" %}
from collections.abc import Iterator

# {% endif %}
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from app.api.deps import DatabaseDep
from app.api.jobs import EnqueueDep, accepted
from app.core.errors import ConflictError
from app.jobs.kinds import KINDS
from app.schemas.job import JobAccepted
from tests.jobs.kinds import ALONE, BEHAVE, BRIEF, Behaviour


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
    async with db.write() as connection:
        row = await enqueue(connection, KINDS[kind], behaviour)
        if rolls_back:
            raise ConflictError("something else could not be stored")
    return accepted(request, response, row)


# {% endfilter %}
@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (ALONE, BEHAVE, BRIEF):
        monkeypatch.setitem(KINDS, kind.name, kind)


# {% if cookiecutter.job_queue == "in_process" %}
@pytest.fixture
def started(app: FastAPI) -> Iterator[TestClient]:
    """Start the service for each test: its worker must not go on with jobs of the test before."""
    with TestClient(app) as client:
        yield client


# {% endif %}
@pytest.fixture
def client(app: FastAPI, client: TestClient) -> TestClient:
    """Add the endpoint."""
    app.add_api_route("/behave", start, methods=["POST"], status_code=202)
    return client
