"""``openapi.json`` is the document of the code."""

import copy

import pytest
from fastapi import FastAPI

from scripts.openapi.changes import breaking_changes
from scripts.openapi.document import FILE, as_text


def test_openapi_json_is_current(app: FastAPI) -> None:
    if not FILE.exists():
        pytest.skip("`make openapi` writes openapi.json; commit it")
    if FILE.read_text("utf-8") != as_text(app.openapi()):
        pytest.fail("openapi.json is not current: `make openapi` writes it", pytrace=False)


def test_document_does_not_differ_from_itself(app: FastAPI) -> None:
    document = app.openapi()
    assert breaking_changes(document, copy.deepcopy(document)) == []
    gone = breaking_changes(document, {**document, "paths": {}})
    assert len(gone) == sum(map(len, document["paths"].values()))
