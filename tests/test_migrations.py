"""Migrations of generated services: what holds for each of them."""

from tests.combinations import CROSSED
from tests.trees import texts

REVISIONS = "migrations/versions/"


def test_revision_is_the_same_text_for_every_answer() -> None:
    """A database keeps its history when an answer changes."""
    found: dict[str, set[str]] = {}
    for combination in CROSSED:
        for path, text in texts(combination).items():
            if path.startswith(REVISIONS):
                found.setdefault(path, set()).add(text)
    assert f"{REVISIONS}0001_initial.py" in found
    assert not [path for path, variants in found.items() if len(variants) > 1]
