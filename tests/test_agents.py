"""AGENTS.md of a service names only what the service has; tests/test_commands.py runs its commands."""

import pytest

from tests.agents import statements, untrue
from tests.combinations import CROSSED, DEFAULTS, Combination
from tests.trees import texts

FILE = "AGENTS.md"
MAX_LINES = 100


@pytest.mark.parametrize("combination", CROSSED, ids=str)
def test_service_has_all_that_its_guide_names(combination: Combination) -> None:
    files = texts(combination)
    assert untrue(files[FILE], files) == []
    assert len(files[FILE].splitlines()) <= MAX_LINES


def test_guide_says_something_of_each_kind() -> None:
    said = statements(texts(DEFAULTS)[FILE])
    assert min(map(len, said)) >= 5, said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("make check ", "make everything "),
        ("tests/test_users.py ", "tests/test_accounts.py "),
        ("`app/models/`", "`app/tables/`"),
        ("(docs/schema.md)", "(docs/tables.md)"),
        ("::test_imports_point_inwards", "::test_imports_point_outwards"),
        ("`RequestModel`", "`BodyModel`"),
        ("`make remove-example`", "`make remove-all`"),
    ],
)
def test_statement_that_is_not_true_is_found(old: str, new: str) -> None:
    files = texts(DEFAULTS)
    assert old in files[FILE]
    assert len(untrue(files[FILE].replace(old, new), files)) == 1


def test_readme_points_to_the_guide() -> None:
    for combination in CROSSED:
        assert (
            f"[{FILE}]({FILE}) is for people and coding agents alike"
            in texts(combination)["README.md"]
        )
