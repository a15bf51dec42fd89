"""Fixtures for accounts: clients are superusers unless they are ``anonymous``."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.kit.auth import passwords
from app.main import create_app
from tests.support import accounts, databases


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash in a fraction of a millisecond instead of a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", accounts.QUICK)
        yield


@pytest.fixture(scope="session")
def superuser(migrated: str, execute: databases.Execute) -> dict[str, str]:
    """Add a superuser, keep their rows aside, and return the header that they send."""
    settings = Settings(database_url=migrated, secret_key=accounts.SETTINGS.secret_key)
    # For as long as the tests may take.
    app = create_app(settings.model_copy(update={"access_token_seconds": 86_400}))
    with TestClient(app) as client:
        header = accounts.caller(client, "root@example.com", is_superuser=True)
    execute(accounts.KEEP)
    execute(databases.DELETE_ALL_ROWS)
    return header


@pytest.fixture
def client(client: TestClient, superuser: dict[str, str], execute: databases.Execute) -> TestClient:
    """Be logged in as superuser, the only user."""
    execute(accounts.PUT_BACK)
    client.headers |= superuser
    return client


@pytest.fixture
def anonymous(client: TestClient) -> TestClient:
    """Send requests without being logged in."""
    del client.headers["Authorization"]
    return client
