"""The users API, seen by its clients."""

from unicodedata import normalize

import pytest
from fastapi.testclient import TestClient

from tests.support.users import ADA, USERS, add_user


def test_created_user_can_be_read(client: TestClient) -> None:
    created = add_user(client)
    assert created == {
        "id": created["id"],
        "name": "Ada",
        "email": "ada@example.com",
        "is_superuser": False,
    }
    assert client.get(f"{USERS}{created['id']}").json() == created


def test_next_page_begins_after_the_last_id(client: TestClient) -> None:
    ids = [user["id"] for user in client.get(USERS).json()["items"]]
    ids += [add_user(client, email=f"user{number}@example.com")["id"] for number in range(5)]
    pages = []
    after = 0
    while after is not None:
        page = client.get(USERS, params={"limit": 2, "after": after}).json()
        pages.append([user["id"] for user in page["items"]])
        after = page["next_after"]
    assert pages == [ids[:2], ids[2:4], ids[4:]]


def test_last_page_that_is_full_has_no_next(client: TestClient) -> None:
    add_user(client)
    everybody = client.get(USERS).json()["items"]
    page = client.get(USERS, params={"limit": len(everybody)}).json()
    assert (page["items"], page["next_after"]) == (everybody, None)


def test_address_in_use_is_a_conflict_in_any_case(client: TestClient) -> None:
    add_user(client)
    response = client.post(USERS, json=ADA | {"email": "ADA@Example.com"})
    assert response.status_code == 409
    assert response.json()["detail"] == "conflicts with an existing record: email"


def test_name_and_address_ignore_how_characters_are_composed(client: TestClient) -> None:
    name, email = "Zoë", "zoë@bücher.example"
    added = add_user(client, name=normalize("NFD", name), email=normalize("NFD", email))
    assert (added["name"], added["email"]) == (name, email)
    response = client.post(USERS, json=ADA | {"email": email})
    assert response.status_code == 409


def test_client_cannot_make_a_superuser(client: TestClient) -> None:
    before = client.get(USERS).json()
    response = client.post(USERS, json=ADA | {"is_superuser": True})
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "body.is_superuser", "message": "unknown field"}]
    assert client.get(USERS).json() == before


def test_unknown_user_is_not_found(client: TestClient) -> None:
    response = client.get(f"{USERS}99")
    assert (response.status_code, response.json()["detail"]) == (404, "User 99 does not exist")


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody"},
        {"email": "İ" * 84 + "@example.com"},  # longer in lower case
        {"name": ""},
        {"name": " "},
        {"name": "x" * 256},
        {"name": None},
    ],
)
def test_invalid_user_is_refused(client: TestClient, changes: dict[str, object]) -> None:
    response = client.post(USERS, json=ADA | changes)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == f"body.{next(iter(changes))}"
