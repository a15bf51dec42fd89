"""Users of the tests, as clients send them."""

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


def add_user(client: TestClient, **changes: object) -> dict[str, object]:
    """Return a new user."""
    response = client.post(USERS, json=ADA | changes)
    assert response.status_code == 201, response.text
    return response.json()
