"""An account for the tests of this folder."""

import pytest
from fastapi.testclient import TestClient

from tests.support.accounts import log_in, sign_up


@pytest.fixture
def ada(anonymous: TestClient) -> dict[str, str]:
    """Return the tokens of a user who has just logged in."""
    sign_up(anonymous, "ada@example.com")
    return log_in(anonymous, "ada@example.com")
