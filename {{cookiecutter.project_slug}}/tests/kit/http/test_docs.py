"""The API's documentation: where it is shown, and that no answer is one it does not describe."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

# {% if cookiecutter.job_queue == "in_process" %}
from app import main
# {% endif %}
from app.core.about import ABOUT
from app.core.config import Settings
from app.main import create_app
# {% if cookiecutter.auth %}
from tests.support import accounts
# {% endif %}


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_documentation_needs_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assets = [part.split('"')[0] for part in page.text.split('="/docs-assets/')[1:]]
    assert len(assets) >= 2
    assert all(client.get(f"/docs-assets/{asset}").status_code == 200 for asset in assets)
    assert "https://" not in page.text


def test_document_has_title_description_and_version(client: TestClient) -> None:
    info = client.get("/api/v1/openapi.json").json()["info"]
    assert info == {
        "title": ABOUT.title,
        "description": ABOUT.description,
        "version": ABOUT.version,
    }


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return client.get("/api/v1/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each operation with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_each_failure_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert response["content"] == {"application/problem+json": problem}, name
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_operation_lists_just_the_failures_that_it_can_answer(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        listed = {int(status) for status in operation["responses"] if status >= "400"}
        parameters = operation.get("parameters", [])
        ids = [it for it in parameters if it["in"] == "path" and it["schema"]["type"] == "integer"]
        has_body = "requestBody" in operation
        assert {400, 408, 413} & listed == ({400, 408, 413} if has_body else set()), name
        assert (404 in listed) is bool(ids), name
        assert (422 in listed) is (has_body or bool(parameters)), name
        assert "security" not in operation or 401 in listed, name
        assert not (name.startswith("GET") and 409 in listed), name
        assert {500, 503} <= listed or operation["tags"] == ["health"], name


def test_bodies_take_no_unknown_fields(document: dict[str, Any]) -> None:
    """All but forms, where OAuth 2 asks servers to ignore them (RFC 6749, 3.2)."""
    for name, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][schema]["additionalProperties"] is False, name


def test_operation_ids_are_unique_names_of_functions(document: dict[str, Any]) -> None:
    """Generated clients make methods of them."""
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert {"list_users", "read_user", "create_user"} <= set(names)


def test_document_names_each_path_once(client: TestClient) -> None:
    paths = [path.rstrip("/") for path in client.get("/api/v1/openapi.json").json()["paths"]]
    assert len(paths) == len(set(paths))


def test_production_hides_the_documentation_unless_asked(settings: Settings) -> None:
    production = settings.model_copy(update={"environment": "production"})
    with TestClient(create_app(production)) as client:
        for path in ("/docs", "/redoc", "/api/v1/openapi.json"):
            assert client.get(path).status_code == 404
    with TestClient(create_app(production.model_copy(update={"docs_enabled": True}))) as client:
        assert client.get("/docs").status_code == 200


# {% if cookiecutter.fan_out %}
@pytest.fixture(autouse=True)  # example
def _no_other_services(monkeypatch: pytest.MonkeyPatch) -> None:  # example
    """Make all other services unreachable, by a proxy that does not exist."""  # example
    monkeypatch.setenv("https_proxy", "127.0.0.1:1")  # example
    monkeypatch.setenv("no_proxy", "")  # example


# {% endif %}
# {% if cookiecutter.job_queue == "in_process" %}
@pytest.fixture(scope="module", autouse=True)
def _no_work() -> Iterator[None]:
    """Leave the jobs in their queue: they are large, and no answer waits for one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "KINDS", {})
        yield


# {% endif %}
# {% if cookiecutter.auth %}
@pytest.mark.slow
def test_answers_are_as_documented(app: FastAPI, client: TestClient) -> None:
    superuser = {"Authorization": client.headers["Authorization"]}
    user = accounts.caller(client, "ada@example.com")
    # Takes a second, for which runs without this test need not wait.
    from tests.support.document import check_answers

    check_answers(app, [{}, user, superuser])
# {% else %}
@pytest.mark.slow
@pytest.mark.usefixtures("settings")
def test_answers_are_as_documented(app: FastAPI) -> None:
    # Takes a second, for which runs without this test need not wait.
    from tests.support.document import check_answers

    check_answers(app, [{}])
# {% endif %}
