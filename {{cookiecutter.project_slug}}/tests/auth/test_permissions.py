"""Who may do what; a route is open only if it is listed here."""

from urllib.parse import urljoin

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from tests.support.accounts import AUTH, caller
from tests.support.recipes import RECIPES, SOUP  # example

USERS = "/api/v1/users/"
OPEN = {
    "GET /docs",
    "GET /fault",  # of the tests
    "GET /health/live",
    "GET /health/ready",
    "GET /redoc",
    "POST /api/v1/auth/signup",
    # These ask for a password or a refresh token instead.
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/refresh",
    "GET /",  # example
    "GET /api/v1/recipes/",  # example
    "GET /api/v1/recipes/search",  # example
    "GET /api/v1/recipes/{id}",  # example
    # {% if cookiecutter.fan_out %}
    "GET /api/v1/dashboard/{city}",  # example
    "GET /api/v1/recipes/ideas",  # example
    "GET /api/v1/recipes/ideas/async",  # example
    # {% endif %}
}
# Files and the OpenAPI document, which FastAPI adds.
FILES = {
    "/api/v1/openapi.json",
    "/docs-assets",
    "/static",  # example
}


def routes(app: FastAPI) -> set[str]:
    """Return all methods and paths but those of files."""
    return {
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        if route.path not in FILES
        for method in route.methods or {"ANY"}
    }


def protected(app: FastAPI) -> set[str]:
    """Return the methods and paths that ask for an access token."""
    return {
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    }


def test_only_listed_routes_are_open(app: FastAPI) -> None:
    assert routes(app) - protected(app) == OPEN


def test_other_routes_refuse_anonymous_requests(app: FastAPI, anonymous: TestClient) -> None:
    assert protected(app)
    for route in protected(app):
        method, path = route.split()
        response = anonymous.request(method, path.replace("{id}", "1"))
        assert response.status_code == 401, route
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"


def test_document_names_the_routes_that_need_a_login(app: FastAPI) -> None:
    document = app.openapi()
    (scheme,) = document["components"]["securitySchemes"].values()
    token_url = scheme["flows"]["password"]["tokenUrl"]
    assert urljoin("/prefix/docs", token_url) == f"/prefix{AUTH}/login"
    for route in protected(app):
        method, path = route.split()
        assert "401" in document["paths"][path][method.lower()]["responses"], route


@pytest.mark.parametrize(
    ("method", "path"), [("GET", USERS), ("GET", f"{USERS}1"), ("POST", USERS)]
)
def test_users_are_open_to_superusers_only(anonymous: TestClient, method: str, path: str) -> None:
    headers = caller(anonymous, "ada@example.com")
    response = anonymous.request(method, path, headers=headers)
    assert (response.status_code, response.json()["status"]) == (403, 403)
    assert response.json()["detail"] == "only superusers may do this"


# example: whose recipes are whose
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
def hers(client: TestClient, ada: dict[str, str]) -> str:
    """Return the path of a recipe of hers."""
    recipe = client.post(RECIPES, json=SOUP, headers=ada).json()
    return f"{RECIPES}{recipe['id']}"


def test_submitter_is_the_caller_and_stays_so(
    client: TestClient, ada: dict[str, str], hers: str
) -> None:
    me = client.get("/api/v1/auth/me", headers=ada).json()
    recipe = client.get(hers).json()
    assert recipe["submitter_id"] == me["id"] != 1
    for method, path in (("POST", RECIPES), ("PUT", hers), ("PATCH", hers)):
        body = SOUP | {"submitter_id": 1}
        assert client.request(method, path, json=body, headers=ada).status_code == 422
    assert client.get(RECIPES).json()["items"] == [recipe]


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_other_users_cannot_change_a_recipe(
    client: TestClient, hers: str, method: str, body: dict[str, str] | None
) -> None:
    before = client.get(hers).json()
    eve = caller(client, "eve@example.com")
    response = client.request(method, hers, json=body, headers=eve)
    assert response.status_code == 403
    assert response.json()["detail"] == "only its owner and superusers may change this"
    assert client.get(hers).json() == before


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_submitter_and_superuser_change_a_recipe(
    client: TestClient, hers: str, ada: dict[str, str], method: str, body: dict[str, str] | None
) -> None:
    if method != "DELETE":
        assert client.request(method, hers, json=body, headers=ada).status_code == 200
    assert client.request(method, hers, json=body).is_success


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_missing_recipe_cannot_be_changed(
    client: TestClient, ada: dict[str, str], method: str, body: dict[str, str] | None
) -> None:
    assert client.request(method, f"{RECIPES}99", json=body, headers=ada).status_code == 404


# end of the example
