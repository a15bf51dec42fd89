"""Loaded into a service's own pytest: slow tests stay where the OpenAPI document is a new one."""

import hashlib
import json
import os
from contextlib import chdir
from importlib import import_module
from pathlib import Path

import pytest


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Deselect slow tests if another combination claimed the document: they would tell nothing new.

    Where marks were asked for, claim it, but keep what was asked for.
    """
    if session.testsfailed:
        return
    is_new = _claim(_document()) == os.environ["COMBINATION"]
    if not is_new and not session.config.getoption("markexpr"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        session.config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


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
