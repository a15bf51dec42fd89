"""The direct ways to routes of included routers."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.deps import get_database
from app.api.direct import DirectRoute
from app.core.errors import UnavailableError


def test_routes_of_included_routers_are_found_first(app: FastAPI) -> None:
    direct = [route for route in app.routes if isinstance(route, DirectRoute)]
    assert {"/api/v1/users/", "/health/live"} <= {route.path for route in direct}
    assert app.routes[: len(direct)] == direct


def test_dependencies_are_still_overridden(app: FastAPI, client: TestClient) -> None:
    def unavailable() -> None:
        raise UnavailableError("overridden")

    app.dependency_overrides[get_database] = unavailable
    assert client.get("/api/v1/users/").json()["detail"] == "overridden"
