"""The OpenAPI document is true: no answer is one that it does not describe."""

# {% if cookiecutter.job_queue == "in_process" %}
from collections.abc import Iterator

# {% endif %}
import pytest
from fastapi import FastAPI
# {% if cookiecutter.auth %}
from fastapi.testclient import TestClient
# {% endif %}
# {% if cookiecutter.auth or cookiecutter.job_queue == "in_process" %}

# {% endif %}
# {% if cookiecutter.job_queue == "in_process" %}
from app.jobs import in_process
# {% endif %}
# {% if cookiecutter.auth %}
from tests.auth import accounts
# {% endif %}

pytestmark = pytest.mark.slow


# {% if cookiecutter.fan_out %}
@pytest.fixture(autouse=True)  # example
def _nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:  # example
    """Let all other services be behind a proxy that is out of order."""  # example
    monkeypatch.setenv("https_proxy", "127.0.0.1:1")  # example
    monkeypatch.setenv("no_proxy", "")  # example


# {% endif %}
# {% if cookiecutter.job_queue == "in_process" %}
@pytest.fixture(scope="module", autouse=True)
def _no_work() -> Iterator[None]:
    """Leave the jobs in their queue: they are large, and no answer waits for one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_process, "KINDS", {})
        yield


# {% endif %}
# {% if cookiecutter.auth %}
def test_answers_are_as_documented(app: FastAPI, client: TestClient) -> None:
    superuser = {"Authorization": client.headers["Authorization"]}
    user = accounts.caller(client, "ada@example.com")
    # Takes a second, for which runs without this test need not wait.
    from tests.document import check_answers

    check_answers(app, [{}, user, superuser])
# {% else %}
@pytest.mark.usefixtures("settings")
def test_answers_are_as_documented(app: FastAPI) -> None:
    # Takes a second, for which runs without this test need not wait.
    from tests.document import check_answers

    check_answers(app, [{}])
# {% endif %}
