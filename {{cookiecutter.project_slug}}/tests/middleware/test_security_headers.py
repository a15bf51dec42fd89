"""What browsers are told not to do."""

import pytest
from fastapi.testclient import TestClient


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
