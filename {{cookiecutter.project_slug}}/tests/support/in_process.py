"""What tests need where the service runs jobs itself."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient


@pytest.fixture
def started(app: FastAPI) -> Iterator[TestClient]:
    """Start the service for each test: its worker must not go on with jobs of the test before."""
    with TestClient(app) as client:
        yield client
