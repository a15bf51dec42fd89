"""Use a running service with the client that openapi-python-client generates."""

from client.api.recipes import (
    create_recipe,
    delete_recipe,
    list_recipes,
    read_recipe,
    update_recipe,
)
from client.models import Problem, RecipeCreate, RecipeRead, RecipeUpdate
from photos import upload
from session import connect

client, owner = connect()

soup = RecipeCreate(label="Soup", source="Ada", url="https://example.com/soup", **owner)
created = create_recipe.sync(client=client, body=soup)
assert isinstance(created, RecipeRead), created

assert read_recipe.sync(created.id, client=client) == created

page = list_recipes.sync(client=client, after=created.id - 1, limit=1)
assert (page.items, page.next_after) == ([created], None)

changed = update_recipe.sync(created.id, client=client, body=RecipeUpdate(label="Stew"))
assert (changed.label, changed.source) == ("Stew", "Ada")

upload(client, created.id)

assert delete_recipe.sync_detailed(created.id, client=client).status_code == 204

missing = read_recipe.sync(created.id, client=client)
assert isinstance(missing, Problem), missing
assert (missing.status, missing.detail) == (404, f"Recipe {created.id} does not exist")

soup.url = "soup"
invalid = create_recipe.sync(client=client, body=soup)
assert [error.field for error in invalid.errors] == ["body.url"]
