"""Whose jobs are whose."""

import pytest
from fastapi.testclient import TestClient

from tests.auth.accounts import caller
from tests.jobs.conftest import JOBS

BEHAVE = "/behave?kind=behave"
JOB = {"does": "succeed"}
ONCE = {"Idempotency-Key": "once"}


@pytest.fixture
def ada(client: TestClient) -> dict[str, str]:
    return caller(client, "ada@example.com")


@pytest.fixture
def bob(client: TestClient) -> dict[str, str]:
    return caller(client, "bob@example.com")


def test_only_their_owner_and_superusers_see_jobs(
    client: TestClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    path = client.post(BEHAVE, json=JOB, headers=ada).headers["Location"]
    for headers, status, count in ((ada, 200, 1), (bob, 404, 0), ({}, 200, 1)):
        assert client.get(path, headers=headers).status_code == status
        assert len(client.get(JOBS, headers=headers).json()["items"]) == count


def test_nobody_else_changes_jobs(
    client: TestClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    path = client.post(BEHAVE, json=JOB, headers=ada).headers["Location"]
    assert client.delete(path, headers=bob).status_code == 404
    assert client.post(f"{path}/retry", headers=bob).status_code == 404


def test_keys_of_two_callers_are_two(
    client: TestClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    ids = [
        client.post(BEHAVE, json=JOB, headers=ONCE | headers).json()["id"]
        for headers in (ada, ada, bob)
    ]
    assert ids[0] == ids[1] != ids[2]
