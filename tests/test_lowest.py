"""The lower bounds that services declare hold: they run their own tests with just these versions."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.combinations import BEHAVIOURS, Combination, context
from tests.environments import pyproject, requirements, uv_lock
from tests.services import QUICK, Service
from tests.trees import TEMPLATE, tree

# Of Python's own driver for SQLite there is no version to declare.
DRIVERS = ("aiosqlite", "asyncpg", "psycopg")
LOWEST = "lowest-direct"


def fullest(driver: str) -> Combination:
    """Return the combination that has this driver and, besides, all that there is."""
    having = [it for it in BEHAVIOURS if context(it)["__driver"] == driver]
    return max(having, key=lambda it: it.size)


FULLEST = [fullest(driver) for driver in DRIVERS]


def bounds(folder: Path) -> dict[str, str]:
    """Map each dependency that is declared to its lower bound."""
    declared = map(Requirement, requirements(pyproject(folder), dev=True))
    return {
        canonicalize_name(it.name): spec.version
        for it in declared
        for spec in it.specifier
        if spec.operator in {">=", "=="}
    }


def test_every_dependency_is_among_them() -> None:
    assert set().union(*(bounds(tree(it)) for it in FULLEST)) == bounds(TEMPLATE).keys()


@pytest.mark.parametrize("combination", FULLEST, ids=str)
def test_lowest_versions_suffice(combination: Combination, workplace: Path) -> None:
    service = Service.open(combination, workplace, resolution=LOWEST)
    locked = tomllib.loads(uv_lock(service.folder, LOWEST).read_text("utf-8"))["package"]
    declared = bounds(service.folder)
    found = {it["name"]: it["version"] for it in locked if it["name"] in declared}
    assert found == declared
    service.run("python", "-m", "pytest", "-q", "--maxfail", "5", "-m", QUICK)
