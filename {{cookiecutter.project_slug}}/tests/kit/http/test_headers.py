"""Headers of every answer: what browsers are told, whose pages may read it, and HEAD."""

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.core.config import Settings
from app.main import create_app
from tests.support.settings import ALLOWED_ORIGIN


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/fault"])
def test_every_answer_is_secured(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["permissions-policy"] == "camera=(), geolocation=(), microphone=()"


def test_page_can_set_its_own_policy(client: TestClient) -> None:
    assert "script-src" in client.get("/docs").headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/fault"])
def test_allowed_origin_reads_answers_and_failures(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Origin": ALLOWED_ORIGIN}).headers
    assert headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    exposed = set(headers["access-control-expose-headers"].split(", "))
    assert {"X-Request-ID", "Location", "Retry-After", "ETag"} <= exposed


@pytest.mark.parametrize("origin", [f"{ALLOWED_ORIGIN}.evil", "http://allowed.example", "null"])
def test_other_origins_cannot_read_answers(client: TestClient, origin: str) -> None:
    response = client.get("/health/live", headers={"Origin": origin})
    assert "access-control-allow-origin" not in response.headers


def preflight(client: TestClient, header: str) -> Response:
    asking = {
        "Origin": ALLOWED_ORIGIN,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": header,
    }
    return client.options("/api/v1/users/", headers=asking)


@pytest.mark.parametrize(
    "header",
    [
        "authorization,content-type,idempotency-key,x-request-id",
        "traceparent,tracestate,baggage",
        "x-requested-with",
        "if-match,if-none-match",
        "cache-control,pragma",
        "range",
        "last-event-id",
    ],
)
def test_preflight_allows_the_usual_headers(client: TestClient, header: str) -> None:
    response = preflight(client, header)
    assert response.status_code == 200
    methods = response.headers["access-control-allow-methods"]
    assert methods == "DELETE, GET, PATCH, POST, PUT"


def test_preflight_allows_further_headers_by_a_setting(
    client: TestClient, settings: Settings
) -> None:
    refused = preflight(client, "x-api-version")
    assert (refused.status_code, refused.json()["detail"]) == (400, "Disallowed CORS headers")
    changed = settings.model_copy(update={"backend_cors_headers": ("X-Api-Version",)})
    with TestClient(create_app(changed)) as other:
        assert preflight(other, "x-api-version").status_code == 200
        assert preflight(other, "traceparent").status_code == 200


def test_refused_preflight_is_a_problem(client: TestClient) -> None:
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    response = client.options("/api/v1/users/", headers=asking)
    assert response.status_code == 400
    assert response.json()["detail"] == "Disallowed CORS origin"
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/users/", "/docs"])
def test_head_is_answered_as_get(client: TestClient, path: str) -> None:
    head = client.head(path)
    assert head.status_code == 200
    assert head.headers["content-type"] == client.get(path).headers["content-type"]
