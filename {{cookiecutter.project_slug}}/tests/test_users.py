"""The users API, seen by its clients."""

import pytest
from fastapi.testclient import TestClient
# {% if cookiecutter.auth %}

from tests.support.accounts import PASSWORD
# {% endif %}

USERS = "/api/v1/users/"
# {% if cookiecutter.auth %}
ADA = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
# {% else %}
ADA = {"name": "Ada", "email": "ada@example.com"}
# {% endif %}


def add(client: TestClient, **changes: object) -> dict[str, object]:
    response = client.post(USERS, json=ADA | changes)
    assert response.status_code == 201, response.text
    return response.json()


def test_created_user_can_be_read(client: TestClient) -> None:
    created = add(client)
    assert created == {
        "id": created["id"],
        "name": "Ada",
        "email": "ada@example.com",
        "is_superuser": False,
    }
    assert client.get(f"{USERS}{created['id']}").json() == created


def test_list_goes_on_after_the_last_id(client: TestClient) -> None:
    ids = [user["id"] for user in client.get(USERS).json()["items"]]
    ids += [add(client, email=f"user{number}@example.com")["id"] for number in range(5)]
    pages = []
    after = 0
    while after is not None:
        page = client.get(USERS, params={"limit": 2, "after": after}).json()
        pages.append([user["id"] for user in page["items"]])
        after = page["next_after"]
    assert pages == [ids[:2], ids[2:4], ids[4:]]


def test_page_that_is_just_full_is_the_last(client: TestClient) -> None:
    add(client)
    everybody = client.get(USERS).json()["items"]
    page = client.get(USERS, params={"limit": len(everybody)}).json()
    assert (page["items"], page["next_after"]) == (everybody, None)


def test_address_in_use_is_a_conflict_in_any_case(client: TestClient) -> None:
    add(client)
    response = client.post(USERS, json=ADA | {"email": "ADA@Example.com"})
    assert response.status_code == 409
    assert response.json()["detail"] == "it contradicts what is stored"


def test_nobody_becomes_superuser_by_asking(client: TestClient) -> None:
    assert add(client, is_superuser=True)["is_superuser"] is False


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
