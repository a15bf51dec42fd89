"""Recipes of the tests, as clients send them."""

from fastapi.testclient import TestClient
# {% if not cookiecutter.auth %}

from tests.support.users import USERS, add_user
# {% endif %}

RECIPES = "/api/v1/recipes/"
SOUP = {"label": "Leek soup", "source": "Grandma", "url": "https://example.com/soup"}


# {% if cookiecutter.auth %}
def recipe_to_send(_: TestClient) -> dict[str, object]:
    """Return a recipe; its submitter is the caller."""
    return {**SOUP}


# {%- else %}
def recipe_to_send(client: TestClient) -> dict[str, object]:
    """Return a recipe, with a submitter who exists."""
    users = client.get(USERS).json()["items"] or [add_user(client)]
    return SOUP | {"submitter_id": users[0]["id"]}


# {%- endif +%}


def add_recipe(client: TestClient, **changes: object) -> dict[str, object]:
    """Return a new recipe."""
    response = client.post(RECIPES, json=recipe_to_send(client) | changes)
    assert response.status_code == 201, response.text
    return response.json()
