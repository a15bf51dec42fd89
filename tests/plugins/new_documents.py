"""Loaded into a service's own pytest: it runs slow tests and those of kit for new documents only.

It also compares the OpenAPI document with that of other services which must have the same one, and
of other Pythons, and gives it to the service as ``openapi.json``.
"""

import hashlib
import os
from contextlib import chdir
from importlib import import_module
from pathlib import Path

import pytest

CLAIMS = Path(os.environ["CLAIMS"])
COMBINATION = os.environ["COMBINATION"]
DOCUMENT = os.environ["DOCUMENT"]


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Deselect what would tell nothing new, if another combination claimed the OpenAPI document.

    These are the slow tests, and those of kit, which the covering services all run. Where marks were
    asked for, claim the document, but keep what was asked for.
    """
    if session.testsfailed:
        return
    document = _document()
    _keep(document)
    is_new = _claim(document) == COMBINATION
    if not is_new and not session.config.getoption("markexpr"):
        known = {item for item in items if item.get_closest_marker("slow") or _is_of_kit(item)}
        session.config.hook.pytest_deselected(items=list(known))
        items[:] = [item for item in items if item not in known]


def _is_of_kit(item: pytest.Item) -> bool:
    return item.path.is_relative_to(item.config.rootpath / "tests" / "kit")


def _document() -> str:
    with chdir("tests"):  # where the developer's .env is out of reach
        app = import_module("app.main").create_app()
    return import_module("scripts.openapi.document").as_text(app.openapi())


def _keep(document: str) -> None:
    """Write ``openapi.json``; raise if this service should have a document that it has not."""
    kept = _first(CLAIMS / f"{DOCUMENT}.json", document)
    if kept != document:
        raise pytest.UsageError(f"the OpenAPI document is not that of other services: {DOCUMENT}")
    Path("openapi.json").write_text(document, encoding="utf-8")


def _claim(document: str) -> str:
    """Return the combination whose slow tests this document has, the first to ask."""
    return _first(CLAIMS / hashlib.sha256(document.encode()).hexdigest(), COMBINATION)


def _first(file: Path, text: str) -> str:
    """Return what the first process wrote into a file; it is complete from the start."""
    mine = file.with_name(f"{file.name}-{os.getpid()}")
    mine.write_text(text, encoding="utf-8")
    try:
        os.link(mine, file)
    except FileExistsError:
        pass
    finally:
        mine.unlink()
    return file.read_text("utf-8")
