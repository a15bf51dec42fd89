"""The API's documentation."""

import pytest
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.main import create_app


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_documentation_needs_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assets = [part.split('"')[0] for part in page.text.split('="/docs-assets/')[1:]]
    assert len(assets) >= 2
    assert all(client.get(f"/docs-assets/{asset}").status_code == 200 for asset in assets)
    assert "https://" not in page.text


def test_document_says_what_failures_look_like(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for path in document["paths"].values():
        for operation in path.values():
            failures = {s: r for s, r in operation["responses"].items() if s >= "400"}
            assert {"422", "503"} <= failures.keys() or operation["tags"] == ["health"]
            for response in failures.values():
                assert response["content"] == {"application/problem+json": problem}


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
