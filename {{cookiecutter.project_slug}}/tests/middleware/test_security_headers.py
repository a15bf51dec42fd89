"""What browsers are told not to do."""

import pytest
from fastapi.testclient import TestClient

from app.middleware.security_headers import HEADERS


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/fault"])
def test_every_answer_is_secured(client: TestClient, path: str) -> None:
    answer = client.get(path).headers
    assert {name: answer[name] for name in HEADERS} == HEADERS


def test_page_may_bring_a_policy_of_its_own(client: TestClient) -> None:
    assert "script-src" in client.get("/docs").headers["content-security-policy"]
