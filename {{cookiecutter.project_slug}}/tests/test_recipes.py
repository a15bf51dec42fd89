"""Recipes: the API, the page that shows them, and the samples on a developer's machine."""

from concurrent.futures import ThreadPoolExecutor
from html import unescape
from unicodedata import normalize

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from app.core.about import ABOUT
from app.core.config import Settings
from app.crud.crud_recipe import recipe
from app.db.base import User
from app.db.init_db import init_db
from app.db.session import Database
from app.kit.errors import ConflictError
from app.kit.schemas import PageQuery
from tests.support.recipes import RECIPES, SOUP, add_recipe, recipe_to_send


def test_created_recipe_can_be_read(client: TestClient) -> None:
    created = add_recipe(client)
    assert created.keys() == {"id", "label", "source", "url", "submitter_id"}
    assert recipe_to_send(client).items() <= created.items()
    assert client.get(f"{RECIPES}{created['id']}").json() == created


def test_next_page_begins_after_the_last_id(client: TestClient) -> None:
    ids = [add_recipe(client)["id"] for _ in range(3)]
    first = client.get(RECIPES, params={"limit": 2}).json()
    rest = client.get(RECIPES, params={"limit": 2, "after": first["next_after"]}).json()
    assert [recipe["id"] for recipe in first["items"] + rest["items"]] == ids
    assert (first["next_after"], rest["next_after"]) == (ids[1], None)


def test_put_replaces_everything(client: TestClient) -> None:
    created = add_recipe(client)
    path = f"{RECIPES}{created['id']}"
    stew = {"label": "Stew", "source": "Aunt", "url": "https://example.com/stew"}
    changed = client.put(path, json=recipe_to_send(client) | stew)
    assert changed.json() == created | stew
    assert client.get(path).json() == changed.json()
    assert client.put(path, json={"label": "Stew"}).status_code == 422


def test_patch_changes_only_what_is_sent(client: TestClient) -> None:
    created = add_recipe(client)
    path = f"{RECIPES}{created['id']}"
    assert client.patch(path, json={"label": "Stew"}).json() == created | {"label": "Stew"}
    assert client.patch(path, json={}).json() == client.get(path).json()
    assert client.patch(path, json={"label": None}).status_code == 422


def test_deleted_recipe_is_gone(client: TestClient) -> None:
    path = f"{RECIPES}{add_recipe(client)['id']}"
    response = client.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404
    assert client.patch(path, json={}).status_code == 404


def test_id_of_a_deleted_recipe_is_not_given_again(client: TestClient) -> None:
    deleted = add_recipe(client)["id"]
    client.delete(f"{RECIPES}{deleted}")
    assert add_recipe(client)["id"] != deleted


# {% if not cookiecutter.auth %}
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_unknown_submitter_is_refused(client: TestClient, method: str) -> None:
    created = add_recipe(client)
    path = RECIPES if method == "POST" else f"{RECIPES}{created['id']}"
    response = client.request(method, path, json=SOUP | {"submitter_id": 99})
    assert response.status_code == 409
    assert response.json()["detail"].startswith("refers to a record that does not exist")
    assert client.get(RECIPES).json()["items"] == [created]


# {% endif %}
@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "soup", "https://", "http://a b", f"https://{'x' * 2000}.example"],
)
def test_invalid_link_is_refused(client: TestClient, url: str) -> None:
    body = recipe_to_send(client) | {"url": url}
    assert client.post(RECIPES, json=body).status_code == 422


def test_search_finds_parts_of_labels_in_any_case(client: TestClient) -> None:
    for label in ("CRÈME brûlée", "100% rye", "100 crepes", "Leek soup", "ΣΊΣΥΦΟΣ"):
        add_recipe(client, label=label)

    def search(keyword: str, **more: int) -> list[str]:
        answer = client.get(f"{RECIPES}search", params={"keyword": keyword, **more})
        return [recipe["label"] for recipe in answer.json()["items"]]

    assert search("crème") == ["CRÈME brûlée"]
    assert search("ΣΊΣ") == ["ΣΊΣΥΦΟΣ"]
    assert search("00%") == ["100% rye"]
    assert search("LEEK") == ["Leek soup"]
    assert search("100") == ["100% rye", "100 crepes"]
    assert search("100", max_results=1) == ["100% rye"]
    assert search("___") == []


def test_search_ignores_how_characters_are_composed(client: TestClient) -> None:
    """A keyboard sends NFC, a file name of macOS is NFD; both look the same."""
    created = add_recipe(client, label=normalize("NFD", "Crème brûlée"))
    assert created["label"] == normalize("NFC", "Crème brûlée")
    for form in ("NFC", "NFD"):
        found = client.get(f"{RECIPES}search", params={"keyword": normalize(form, "brûlée")})
        assert found.json()["items"] == [created]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("name", ["lable", "id"])
def test_unknown_field_is_refused_by_name(client: TestClient, method: str, name: str) -> None:
    created = add_recipe(client)
    path = RECIPES if method == "POST" else f"{RECIPES}{created['id']}"
    response = client.request(method, path, json=recipe_to_send(client) | {name: "Stew"})
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": f"body.{name}", "message": "unknown field"}]
    assert client.get(RECIPES).json()["items"] == [created]


@pytest.mark.parametrize("spelling", ["+{}", "%20{}", "0{}", "{}.0", "{}_0", "{}%0A", "１"])
def test_recipe_has_one_address(client: TestClient, spelling: str) -> None:
    id = add_recipe(client)["id"]
    assert client.get(f"{RECIPES}{id}").status_code == 200
    other = f"{RECIPES}{spelling.format(id)}"
    assert client.get(other).status_code == 422
    assert client.patch(other, json={"label": "Stew"}).status_code == 422
    assert client.delete(other).status_code == 422
    assert client.get(f"{RECIPES}{id}").json()["label"] == SOUP["label"]


@pytest.mark.parametrize(
    "query", ["keyword=so", "keyword=soup&max_results=0", "keyword=soup&max_results=101", ""]
)
def test_search_out_of_bounds_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"{RECIPES}search?{query}").status_code == 422


def test_more_requests_than_connections_all_get_an_answer(client: TestClient) -> None:
    soup = recipe_to_send(client)

    def read(_: int) -> int:
        return client.get(RECIPES).status_code

    def write(_: int) -> int:
        return client.post(RECIPES, json=soup).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(read, range(16))) == {200}
        assert set(threads.map(write, range(8))) == {201}


def test_page_escapes_recipes(client: TestClient) -> None:
    url = "https://example.com/?a=1&b=2"
    add_recipe(client, label="<script>", source="Ada & co", url=url)
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;script&gt;" in page.text
    assert "Ada &amp; co" in page.text
    assert 'href="https://example.com/?a=1&amp;b=2"' in page.text
    assert "<script" not in page.text


def test_page_shows_title_and_features(client: TestClient) -> None:
    page = unescape(client.get("/").text)
    assert f"<title>{ABOUT.title}</title>" in page
    assert all(feature in page for feature in ABOUT.features)
    assert 'href="/docs"' in page


def test_page_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/")
    assert 'href="/static/style.css"' in page.text
    assert client.get("/static/style.css").headers["content-type"].startswith("text/css")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "//" not in page.text.replace("http://www.w3.org", "")


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def count(database: Database) -> int:
    async with database.read() as connection:
        page = await recipe.get_multi(connection, PageQuery(limit=100))
        return len(page["items"])


async def test_samples_are_added_once(database: Database, settings: Settings) -> None:
    for _ in range(2):
        await init_db(database, settings)
    assert await count(database) == 3


async def test_deleted_sample_is_not_added_again(database: Database, settings: Settings) -> None:
    await init_db(database, settings)
    async with database.transaction() as connection:
        page = await recipe.get_multi(connection, PageQuery(limit=1))
        await recipe.remove(connection, page["items"][0]["id"])
    await init_db(database, settings)
    assert await count(database) == 2


async def test_staging_gets_no_samples(database: Database, settings: Settings) -> None:
    await init_db(database, settings.model_copy(update={"environment": "staging"}))
    assert await count(database) == 0


async def test_user_with_recipes_cannot_be_deleted(database: Database, settings: Settings) -> None:
    await init_db(database, settings)
    with pytest.raises(ConflictError, match="still used by another record"):
        async with database.transaction() as connection:
            await connection.execute(delete(User))


# {%- endfilter +%}
