"""${r.words_plural.capitalize()}: what clients can do with them."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.crud.crud_${r.name} import ${r.name}
from app.db.init_db import init_db
from app.db.session import Database
from app.kit.schemas import PageQuery
# {% if cookiecutter.auth %}
from tests.support.accounts import caller
# {% endif %}
from tests.support.${r.plural} import ${r.constant}_CHANGES, ${r.constant_plural}, add_${r.name}, ${r.name}_to_send

<%
    path = 'f"{' + r.constant_plural + "}{created['id']}\""
    article = "an" if r.words[0] in "aeiou" else "a"

    def content(record):
        return f"content({record})" if r.is_versioned else record
%>
% if r.is_versioned:

@pytest.fixture(autouse=True)
def _change_any_version(client: TestClient) -> None:
    client.headers["If-Match"] = "*"


def content(record: dict[str, object]) -> dict[str, object]:
    """Return a ${r.words} without what each change sets."""
    stamps = {"created_at", "updated_at", "version"}
    return {name: it for name, it in record.items() if name not in stamps}

% endif

def test_created_${r.name}_can_be_read(client: TestClient) -> None:
    sent = ${r.name}_to_send(client)
    response = client.post(${r.constant_plural}, json=sent)
    created = response.json()
    assert response.status_code == 201
# {% if cookiecutter.auth %}
    ids = {"id": created["id"], "owner_id": created["owner_id"]}
    assert ${content("created")} == sent | ids
# {% else %}
    assert ${content("created")} == sent | {"id": created["id"]}
# {% endif %}
    assert client.get(${path}).json() == created


% if r.is_sortable:
@pytest.mark.parametrize("name", [${r.quoted(r.sortable)}])
@pytest.mark.parametrize("minus", ["", "-"])
def test_pages_are_in_the_given_order(client: TestClient, name: str, minus: str) -> None:
    rows = [add_${r.name}(client) for _ in range(5)]
    found: list[dict[str, object]] = []
    query: dict[str, str | int] = {"sort": minus + name, "limit": 2}
    for _ in range(3):
        page = client.get(${r.constant_plural}, params=query).json()
        found += page["items"]
        query["cursor"] = page["next_cursor"]
    assert page["next_cursor"] is None
    # Records with equal values are in the order of their ids.
    assert found == sorted(rows, key=lambda it: (it[name], it["id"]), reverse=minus == "-")
% if r.filters_of_tests:


@pytest.mark.parametrize("name", [${r.quoted(r.filters_of_tests)}])
def test_list_has_only_what_equals_the_filter(client: TestClient, name: str) -> None:
    created = add_${r.name}(client)
    other = {name: ${r.constant}_CHANGES[name]} if name in ${r.constant}_CHANGES else {}
    add_${r.name}(client, **other)
    answer = client.get(${r.constant_plural}, params={name: str(created[name])})
    assert answer.json()["items"] == [created]
% endif


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("sort=no_field", "sort"),
        ("sort=id;name", "sort"),
        ("no_field=1", "no_field"),
    ],
)
def test_page_out_of_bounds_is_refused(client: TestClient, query: str, field: str) -> None:
    response = client.get(f"{${r.constant_plural}}?{query}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, f"query.{field}")


def test_cursor_of_another_order_is_refused(client: TestClient) -> None:
    for _ in range(2):
        add_${r.name}(client)
    page = client.get(${r.constant_plural}, params={"limit": 1}).json()
    query = {"sort": "-id", "cursor": page["next_cursor"]}
    assert client.get(${r.constant_plural}, params=query).status_code == 422
% else:
def test_next_page_begins_after_the_last_id(client: TestClient) -> None:
    ids = [add_${r.name}(client)["id"] for _ in range(3)]
    first = client.get(${r.constant_plural}, params={"limit": 2}).json()
    rest = client.get(${r.constant_plural}, params={"limit": 2, "after": first["next_after"]}).json()
    assert [it["id"] for it in first["items"] + rest["items"]] == ids
    assert (first["next_after"], rest["next_after"]) == (ids[1], None)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "after=-1", "after=x"])
def test_page_out_of_bounds_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"{${r.constant_plural}}?{query}").status_code == 422
% endif
% if r.is_versioned:


def test_change_increments_the_version(client: TestClient) -> None:
    response = client.post(${r.constant_plural}, json=${r.name}_to_send(client))
    created = response.json()
    assert (response.headers["ETag"], created["version"]) == ('"1"', 1)
    path, sent = ${path}, {"If-Match": '"1"'}
    changed = client.put(path, json=${r.name}_to_send(client), headers=sent)
    assert (changed.headers["ETag"], changed.json()["version"]) == ('"2"', 2)
    assert changed.json()["created_at"] == created["created_at"]
    assert changed.json()["updated_at"] > created["updated_at"]
    assert client.get(path).headers["ETag"] == '"2"'


def test_known_version_is_not_sent_again(client: TestClient) -> None:
    created = add_${r.name}(client)
    path = ${path}
    known = client.get(path, headers={"If-None-Match": '"1"'})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", '"1"')
    assert client.get(path, headers={"If-None-Match": '"0"'}).json() == created


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(("tag", "status"), [('"0"', 412), (None, 428)])
def test_version_that_was_not_read_is_not_changed(
    client: TestClient, method: str, tag: str | None, status: int
) -> None:
    created = add_${r.name}(client)
    path = ${path}
    body = {"PUT": ${r.name}_to_send(client), "PATCH": ${r.constant}_CHANGES}.get(method)
    if tag is None:
        del client.headers["If-Match"]
    else:
        client.headers["If-Match"] = tag
    assert client.request(method, path, json=body).status_code == status
    assert client.get(path).json() == created


def test_only_one_of_many_writers_changes_a_version(client: TestClient) -> None:
    created, new = add_${r.name}(client), ${r.name}_to_send(client)

    def write(_: int) -> int:
        return client.put(${path}, json=new, headers={"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(10) as writers:
        assert Counter(writers.map(write, range(100))) == {200: 1, 412: 99}
% endif


def test_put_replaces_everything(client: TestClient) -> None:
    created = add_${r.name}(client)
    new = ${r.name}_to_send(client) | ${r.constant}_CHANGES
    changed = client.put(${path}, json=new)
    assert ${content("changed.json()")} == ${content("created")} | new
    assert client.get(${path}).json() == changed.json()


def test_patch_changes_only_what_is_sent(client: TestClient) -> None:
    last = created = add_${r.name}(client)
    path = ${path}
    for field, value in (${r.name}_to_send(client) | ${r.constant}_CHANGES).items():
        changed = client.patch(path, json={field: value}).json()
        assert ${content("changed")} == ${content("last")} | {field: value}
        last = changed
    assert client.patch(path, json={}).json() == last
    assert client.get(path).json() == last


def test_deleted_${r.name}_is_gone(client: TestClient) -> None:
    created = add_${r.name}(client)
    response = client.delete(${path})
    assert (response.status_code, response.content) == (204, b"")
    assert client.get(${path}).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_missing_${r.name}_is_not_found(client: TestClient, method: str) -> None:
    body = {"PUT": ${r.name}_to_send(client), "PATCH": {}}.get(method)
    response = client.request(method, f"{${r.constant_plural}}99", json=body)
    assert (response.status_code, response.json()["detail"]) == (404, "${r.cls} 99 does not exist")


def test_${r.name}_has_one_address(client: TestClient) -> None:
    created = add_${r.name}(client)
    assert client.get(f"{${r.constant_plural}}0{created['id']}").status_code == 422


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("name", ["no_field", "id"])
def test_unknown_field_is_refused_by_name(client: TestClient, method: str, name: str) -> None:
    created = add_${r.name}(client)
    path = ${r.constant_plural} if method == "POST" else ${path}
    response = client.request(method, path, json=${r.name}_to_send(client) | {name: 1})
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": f"body.{name}", "message": "unknown field"}]
    assert client.get(${r.constant_plural}).json()["items"] == [created]


@pytest.mark.parametrize(
    ("field", "value"),
    [
% for field in r.fields:
% for value in field.kind.invalid:
        ("${field.name}", ${value}),
% endfor
% if not field.is_optional:
        ("${field.name}", None),
% endif
% endfor
    ],
)
def test_invalid_value_is_refused(client: TestClient, field: str, value: object) -> None:
    created = add_${r.name}(client)
    new = ${r.name}_to_send(client) | {field: value}
    for response in (
        client.post(${r.constant_plural}, json=new),
        client.patch(${path}, json={field: value}),
    ):
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"].startswith(f"body.{field}")
    assert client.get(${r.constant_plural}).json()["items"] == [created]


def test_body_of_another_type_is_refused(client: TestClient) -> None:
    assert client.post(${r.constant_plural}, json=[]).status_code == 422
    assert client.post(${r.constant_plural}, content=b"{").status_code == 422
% if r.required:


@pytest.mark.parametrize("field", [${r.quoted(r.required)}])
def test_required_field_must_be_there(client: TestClient, field: str) -> None:
    new = ${r.name}_to_send(client)
    del new[field]
    response = client.post(${r.constant_plural}, json=new)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [f"body.{field}"]
% endif
% if r.optional:


@pytest.mark.parametrize("field", [${r.quoted(r.optional)}])
def test_optional_field_may_be_null(client: TestClient, field: str) -> None:
    created = add_${r.name}(client)
    changed = client.patch(${path}, json={field: None})
    assert ${content("changed.json()")} == ${content("created")} | {field: None}
% endif
% if r.omissible:


@pytest.mark.parametrize(
    ("field", "value"),
    [
% for field in r.omissible:
        ("${field.name}", ${field.default[2] if field.default else "None"}),
% endfor
    ],
)
def test_omitted_field_has_a_default(client: TestClient, field: str, value: object) -> None:
    new = ${r.name}_to_send(client)
    del new[field]
    created = client.post(${r.constant_plural}, json=new).json()
    assert created[field] == value
% endif
% if r.with_time:


@pytest.mark.parametrize("field", [${r.quoted(r.with_time)}])
def test_omitted_time_is_now(client: TestClient, field: str) -> None:
    new = ${r.name}_to_send(client)
    del new[field]
    created = client.post(${r.constant_plural}, json=new).json()
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(created[field])
    assert abs(age) < dt.timedelta(minutes=1)
% endif
% if r.lengths:


@pytest.mark.parametrize(
    ("field", "length"),
    [
% for field, length in r.lengths:
        ("${field}", ${length}),
% endfor
    ],
)
def test_longest_text_is_accepted(client: TestClient, field: str, length: int) -> None:
    text = "ä" * length
    assert add_${r.name}(client, **{field: text})[field] == text
% endif
% if r.unique:


@pytest.mark.parametrize("field", [${r.quoted(r.unique)}])
def test_value_in_use_is_a_conflict(client: TestClient, field: str) -> None:
    value = add_${r.name}(client)[field]
    created = add_${r.name}(client)
    new = ${r.name}_to_send(client) | {field: value}
    for response in (
        client.post(${r.constant_plural}, json=new),
        client.patch(${path}, json={field: value}),
    ):
        assert response.status_code == 409
        assert response.json()["detail"] == f"conflicts with an existing record: {field}"
% endif
% if r.references:


@pytest.mark.parametrize("field", [${r.quoted(r.references)}])
def test_unknown_reference_is_a_conflict(client: TestClient, field: str) -> None:
    created = add_${r.name}(client)
    new = ${r.name}_to_send(client) | {field: 9999}
    for response in (
        client.post(${r.constant_plural}, json=new),
        client.patch(${path}, json={field: 9999}),
    ):
        assert response.status_code == 409
        assert response.json()["detail"].startswith("refers to a record that does not exist")
% endif
# {% if cookiecutter.auth %}


def test_anonymous_caller_can_only_read(client: TestClient) -> None:
    created, new = add_${r.name}(client), ${r.name}_to_send(client)
    path = ${path}
    del client.headers["Authorization"]
    for method, url, body in (
        ("POST", ${r.constant_plural}, new),
        ("PUT", path, new),
        ("PATCH", path, {}),
        ("DELETE", path, None),
    ):
        assert client.request(method, url, json=body).status_code == 401
    assert client.get(${r.constant_plural}).json()["items"] == [created]
    assert client.get(path).json() == created


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_users_cannot_change_${article}_${r.name}(client: TestClient, method: str) -> None:
    created = add_${r.name}(client)
    body = {"PUT": ${r.name}_to_send(client), "PATCH": {}}.get(method)
    eve = caller(client, "eve@example.com")
    response = client.request(method, ${path}, json=body, headers=eve)
    assert response.status_code == 403
    assert response.json()["detail"] == "only its owner and superusers may change this"
    assert client.get(${path}).json() == created


def test_owner_can_change_${article}_${r.name}(client: TestClient) -> None:
    ada = caller(client, "ada@example.com")
    created = client.post(${r.constant_plural}, json=${r.name}_to_send(client), headers=ada).json()
    path = ${path}
    new = ${r.name}_to_send(client) | ${r.constant}_CHANGES
    changed = client.put(path, json=new, headers=ada).json()
    assert ${content("changed")} == ${content("created")} | new
    assert client.patch(path, json={}, headers=ada).json() == changed
    assert client.delete(path, headers=ada).status_code == 204
# {% endif %}
% if r.samples:


@pytest.mark.parametrize(("environment", "number"), [("local", ${len(r.samples)}), ("staging", 0)])
async def test_samples_are_added_once(
    database: Database, settings: Settings, environment: str, number: int
) -> None:
    settings = settings.model_copy(update={"environment": environment})
    for _ in range(2):
        await init_db(database, settings)
    async with database.read() as connection:
        page = await ${r.name}.get_multi(connection, PageQuery(limit=10))
    assert len(page["items"]) == number
% endif


# {%- endfilter +%}
