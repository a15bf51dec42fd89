"""A change of the OpenAPI document that breaks clients is found; other changes are not."""

import copy
from typing import Any

import pytest

from scripts.openapi.changes import breaking_changes

Document = dict[str, Any]
TAG = "#/components/schemas/Tag"
# Places in the document.
OPERATION = "paths /tags patch"
BODY = f"{OPERATION} requestBody content application/json schema"
FIELDS = f"{BODY} properties"
OK = f"{OPERATION} responses 200"
READ = "components schemas Tag"


def parameter(name: str, kind: str = "query", **more: object) -> Document:
    return {"name": name, "in": kind, "schema": {"type": "integer", "minimum": 1}, **more}


@pytest.fixture
def old() -> Document:
    """Return a small document."""
    tag = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "colour": {"type": "string", "enum": ["red", "green"]},
            "parent": {"anyOf": [{"$ref": "#/components/schemas/Tag"}, {"type": "null"}]},
            "made_at": {"type": "string", "format": "date-time"},
        },
        "required": ["id", "colour"],
    }
    changes = {
        "type": "object",
        "properties": {
            "label": {"type": "string", "maxLength": 100},
            "size": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "marks": {"type": "array", "items": {"type": "string", "pattern": "a"}},
            "colour": {"type": "string", "enum": ["red", "green"]},
        },
    }
    operation = {
        "operationId": "update_tag",
        "parameters": [parameter("id", "path", required=True), parameter("depth")],
        "requestBody": {"content": {"application/json": {"schema": changes}}},
        "responses": {
            "200": {"content": {"application/json": {"schema": {"$ref": TAG}}}},
            "404": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
        },
    }
    return {
        "paths": {"/tags": {"patch": operation}},
        "components": {"schemas": {"Tag": tag}},
    }


def changed(document: Document, path: str, value: object) -> Document:
    """Return a copy with another value at a path; None removes it."""
    result = copy.deepcopy(document)
    *parents, last = path.split()
    part: Any = result
    for name in parents:
        part = part[int(name) if isinstance(part, list) else name]
    if value is None:
        del part[int(last) if isinstance(part, list) else last]
    elif isinstance(part, list):
        part.insert(int(last), value)
    else:
        part[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (OPERATION, None, "is gone"),
        (
            f"{OPERATION} operationId",
            "patch_tag",
            "its name is now patch_tag, which was update_tag",
        ),
        (f"{OPERATION} security", [{"OAuth2": []}], "requires other credentials"),
        (f"{OPERATION} parameters 1", None, "query parameter depth: is gone"),
        (
            f"{OPERATION} parameters 0",
            parameter("q", required=True),
            "query parameter q: is required now",
        ),
        (f"{OPERATION} parameters 1 required", True, "query parameter depth: is required now"),
        (
            f"{OPERATION} parameters 1 schema minimum",
            2,
            "query parameter depth: its minimum is now 2",
        ),
        (f"{OPERATION} requestBody", None, "request body: is gone"),
        (f"{OPERATION} requestBody required", True, "request body: is required now"),
        (f"{OPERATION} requestBody content", {}, "request body: is no longer application/json"),
        (f"{BODY} required", ["label"], "request body.label: is required now"),
        (
            f"{BODY} additionalProperties",
            False,
            "request body: an unknown field is no longer accepted",
        ),
        (f"{FIELDS} label", None, "request body.label: is gone"),
        (f"{FIELDS} label maxLength", 99, "request body.label: its maxLength is now 99"),
        (f"{FIELDS} label type", "integer", "request body.label: string is no longer accepted"),
        (f"{FIELDS} label format", "email", "request body.label: its format is another"),
        (f"{FIELDS} size", {"type": "number"}, "request body.size: null is no longer accepted"),
        (
            f"{FIELDS} size anyOf 0 type",
            "integer",
            "request body.size: number is no longer accepted",
        ),
        (f"{FIELDS} marks items pattern", "b", "request body.marks[]: its pattern is now b"),
        (f"{FIELDS} colour enum", ["red"], 'request body.colour: "green" is no longer accepted'),
        (OK, None, "response 200: is gone"),
        (f"{OK} content", {"text/plain": {}}, "response 200: is no longer application/json"),
        (f"{READ} properties colour", None, "response 200.colour: is gone"),
        (f"{READ} required", ["id"], "response 200.colour: may be missing now"),
        (f"{READ} properties id type", "string", "response 200.id: string is possible now"),
        (
            f"{READ} properties id type",
            ["integer", "null"],
            "response 200.id: null is possible now",
        ),
        (f"{READ} properties colour enum 2", "blue", 'response 200.colour: "blue" is possible now'),
        (f"{READ} properties made_at format", None, "response 200.made_at: its format is another"),
    ],
)
def test_change_that_breaks_clients_is_found(
    old: Document, path: str, value: object, finding: str
) -> None:
    """One change of a schema can show in several places, because it contains itself."""
    found = [str(change) for change in breaking_changes(old, changed(old, path, value))]
    assert found == [f"PATCH /tags: {finding}"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paths /more", {"get": {"responses": {"200": {}}}}),
        (f"{OPERATION} parameters 2", parameter("more")),
        (f"{OPERATION} parameters 0 required", False),
        (f"{OPERATION} parameters 1 schema minimum", 0),
        (f"{OPERATION} summary", "Change a tag"),
        (f"{OPERATION} responses 404", None),
        (f"{OPERATION} responses 202", {}),
        (f"{FIELDS} more", {"type": "string"}),
        (f"{FIELDS} label maxLength", None),
        (f"{FIELDS} label type", ["string", "null"]),
        (f"{FIELDS} colour enum 2", "blue"),
        (f"{FIELDS} marks items", {}),
        (f"{READ} properties more", {"type": "string"}),
        (f"{READ} required", ["id", "colour", "made_at"]),
        (f"{READ} properties colour enum", ["red"]),
        (f"{READ} properties parent", {"$ref": TAG}),
    ],
)
def test_other_changes_break_no_client(old: Document, path: str, value: object) -> None:
    assert breaking_changes(old, changed(old, path, value)) == []
