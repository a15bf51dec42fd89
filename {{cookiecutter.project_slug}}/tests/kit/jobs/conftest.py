"""The service with the jobs of the tests, and an endpoint that queues them."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.jobs.kinds import KINDS
# {% if cookiecutter.job_queue == "in_process" %}
from tests.support.in_process import started
# {% endif %}
from tests.support.job_requests import start
from tests.support.jobs import ALONE, BEHAVE, BRIEF
# {% if cookiecutter.job_queue == "in_process" %}

__all__ = ["started"]
# {% endif %}


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (ALONE, BEHAVE, BRIEF):
        monkeypatch.setitem(KINDS, kind.name, kind)


@pytest.fixture
def client(app: FastAPI, client: TestClient) -> TestClient:
    """Add the endpoint."""
    app.add_api_route("/behave", start, methods=["POST"], status_code=202)
    return client
