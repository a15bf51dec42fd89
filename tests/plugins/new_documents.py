"""Loaded into a service's own pytest: it runs slow tests and those of kit for new documents only."""

import hashlib
import json
import os
from contextlib import chdir
from importlib import import_module
from pathlib import Path

import pytest


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Deselect what would tell nothing new, if another combination claimed the OpenAPI document.

    These are the slow tests, and those of kit, which the covering services all run. Where marks were
    asked for, claim the document, but keep what was asked for.
    """
    if session.testsfailed:
        return
    is_new = _claim(_document()) == os.environ["COMBINATION"]
    if not is_new and not session.config.getoption("markexpr"):
        known = {item for item in items if item.get_closest_marker("slow") or _is_of_kit(item)}
        session.config.hook.pytest_deselected(items=list(known))
        items[:] = [item for item in items if item not in known]


def _is_of_kit(item: pytest.Item) -> bool:
    return item.path.is_relative_to(item.config.rootpath / "tests" / "kit")


def _document() -> str:
    with chdir("tests"):  # where the developer's .env is out of reach
        app = import_module("app.main").create_app()
    return json.dumps(app.openapi(), sort_keys=True)


def _claim(document: str) -> str:
    """Return the combination whose slow tests this document has, the first to ask."""
    claim = Path(os.environ["CLAIMS"]) / hashlib.sha256(document.encode()).hexdigest()
    try:
        with claim.open("x", encoding="utf-8") as file:
            file.write(os.environ["COMBINATION"])
    except FileExistsError:
        pass
    return claim.read_text("utf-8")
