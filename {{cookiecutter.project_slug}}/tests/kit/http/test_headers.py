"""Headers of every answer: what browsers are told, whose pages may read it, and HEAD."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import FRIEND


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/fault"])
def test_every_answer_is_secured(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["permissions-policy"] == "camera=(), geolocation=(), microphone=()"


def test_page_may_bring_a_policy_of_its_own(client: TestClient) -> None:
    assert "script-src" in client.get("/docs").headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/fault"])
def test_friend_may_read_answers_and_failures(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Origin": FRIEND}).headers
    assert headers["access-control-allow-origin"] == FRIEND
    exposed = set(headers["access-control-expose-headers"].split(", "))
    assert exposed == {
        "X-Request-ID",
        # {% if cookiecutter.job_queue != "none" %}
        "Location",
        # {% endif %}
        # {% if cookiecutter.rate_limit %}
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        # {% endif %}
        # {% if cookiecutter.timing_middleware %}
        "Server-Timing",
        "X-Process-Time",
        # {% endif %}
    }


@pytest.mark.parametrize("origin", [f"{FRIEND}.evil", "http://friend.example", "null"])
def test_others_may_not_read_them(client: TestClient, origin: str) -> None:
    response = client.get("/health/live", headers={"Origin": origin})
    assert "access-control-allow-origin" not in response.headers


def test_friend_may_ask_first(client: TestClient) -> None:
    asking = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "PATCH",
        # {% if cookiecutter.job_queue != "none" %}
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-request-id",
        # {% else %}
        "Access-Control-Request-Headers": "authorization,content-type,x-request-id",
        # {% endif %}
    }
    response = client.options("/api/v1/users/", headers=asking)
    assert response.status_code == 200
    methods = response.headers["access-control-allow-methods"]
    assert methods == "DELETE, GET, PATCH, POST, PUT"


def test_refusal_to_ask_is_a_problem(client: TestClient) -> None:
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
