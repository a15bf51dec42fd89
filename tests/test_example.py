"""`make remove-example` leaves a service that knows nothing of the example, and holds."""

import re
import shutil
from pathlib import Path

import pytest

from tests.agents import untrue
from tests.combinations import COVERING, DEFAULTS, Combination
from tests.services import QUICK, Service
from tests.trees import files

REMOVE = ("python", "-m", "scripts.remove_example")
# Words that only the example needs. The names of the service are its owner's, and Grafana has dashboards.
EXAMPLE = re.compile(
    r"# example|<!-- example|recipe|\bideas\b|dashboard|weather|reddit|photo|fan.out|upstream"
    r"|async.lru|jinja2|pillow|\bPIL\b",
    re.IGNORECASE,
)
NAMES = re.compile(
    r"recipe.api|recipes that people like to share|\ba dashboard|dashboard\.json", re.IGNORECASE
)
# Old revisions create the table, and photos stay out of git.
KEPT = ("migrations/", ".git", ".copier", "poetry.lock", "uv.lock")
# Kit knows nothing of the example, so it is enough that its tests hold in the smallest service, which
# has the least beside it, and in the largest.
WITH_KIT = (min(COVERING, key=lambda it: it.size), max(COVERING, key=lambda it: it.size))
# What owners added, in a file that is edited and below a block that goes.
OWN = "\n# Ours: it stays.\n"


@pytest.mark.parametrize("combination", COVERING, ids=str)
def test_service_without_the_example_holds(combination: Combination, workplace: Path) -> None:
    service = Service.open(combination, workplace)
    additions = [service.folder / name for name in (".env.example", "Makefile", "app/main.py")]
    for path in additions:
        path.write_text(path.read_text("utf-8") + OWN, "utf-8")
    service.run("python", "-m", "scripts.openapi")
    service.run(*REMOVE)
    assert all(path.read_text("utf-8").endswith(OWN) for path in additions)
    variables = {"DATABASE_URL": service.new_database()}
    service.run("alembic", "upgrade", "heads", **variables)
    service.run("alembic", "check", **variables)
    service.run("make", "lint", "RUN=", **variables)
    ignored = () if combination in WITH_KIT else ("--ignore=tests/kit",)
    service.run("python", "-m", "pytest", "-q", "-m", QUICK, *ignored)
    assert leftovers(service.folder) == []
    left = {
        path.relative_to(service.folder).as_posix(): path.read_text("utf-8", errors="ignore")
        for path in files(service.folder)
    }
    assert untrue(left["AGENTS.md"], left) == []


def leftovers(folder: Path) -> list[str]:
    """Return the lines that still speak of the example."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return [
        f"{name}: {line}"
        for name in names
        if not name.startswith(KEPT) and "cache" not in name  # byte code and tools have caches
        for line in (folder / name).read_text("utf-8", errors="ignore").splitlines()
        if EXAMPLE.search(NAMES.sub("", line))
    ]


def test_uncommitted_changes_are_not_mixed_with_the_removal(workplace: Path) -> None:
    service = Service.open(DEFAULTS, workplace)
    recipe = service.folder / "app" / "models" / "recipe.py"
    service.run("git", "init", "-q")
    try:
        with pytest.raises(pytest.fail.Exception, match="Commit or stash your changes first"):
            service.run(*REMOVE)
        assert recipe.exists()
        service.run(*REMOVE, "--force")
        assert not recipe.exists()
    finally:
        shutil.rmtree(service.folder / ".git")
