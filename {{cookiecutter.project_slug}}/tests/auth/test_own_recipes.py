"""Whose recipes are whose."""

import pytest
from fastapi.testclient import TestClient

from tests.auth.accounts import caller
from tests.test_recipes import RECIPES, SOUP

CHANGES = [
    ("PUT", SOUP | {"label": "Stew"}),
    ("PATCH", {"label": "Stew"}),
    ("PATCH", {}),
    ("DELETE", None),
]


@pytest.fixture
def ada(client: TestClient) -> dict[str, str]:
    return caller(client, "ada@example.com")


@pytest.fixture
def path(client: TestClient, ada: dict[str, str]) -> str:
    """Return the path of a recipe of hers."""
    recipe = client.post(RECIPES, json=SOUP, headers=ada).json()
    return f"{RECIPES}{recipe['id']}"


def test_submitter_is_who_calls_whatever_they_say(client: TestClient, ada: dict[str, str]) -> None:
    me = client.get("/api/v1/auth/me", headers=ada).json()
    recipe = client.post(RECIPES, json=SOUP | {"submitter_id": 1}, headers=ada).json()
    assert recipe["submitter_id"] == me["id"] != 1
    path = f"{RECIPES}{recipe['id']}"
    for method in ("PUT", "PATCH"):
        changed = client.request(method, path, json=SOUP | {"submitter_id": 1}, headers=ada)
        assert changed.json() == recipe


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_nobody_else_changes_it(
    client: TestClient, path: str, method: str, body: dict[str, str] | None
) -> None:
    before = client.get(path).json()
    eve = caller(client, "eve@example.com")
    response = client.request(method, path, json=body, headers=eve)
    assert response.status_code == 403
    assert response.json()["detail"] == "only its submitter and superusers may change a recipe"
    assert client.get(path).json() == before


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_submitter_and_superuser_change_it(
    client: TestClient, path: str, ada: dict[str, str], method: str, body: dict[str, str] | None
) -> None:
    if method != "DELETE":
        assert client.request(method, path, json=body, headers=ada).status_code == 200
    assert client.request(method, path, json=body).is_success


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_recipe_that_does_not_exist_is_nobodys(
    client: TestClient, ada: dict[str, str], method: str, body: dict[str, str] | None
) -> None:
    assert client.request(method, f"{RECIPES}99", json=body, headers=ada).status_code == 404
