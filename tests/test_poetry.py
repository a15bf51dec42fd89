"""Services managed by poetry are installed by poetry."""

import shutil
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from tests.combinations import COVERING, Combination
from tests.programs import run
from tests.servers import postgresql
from tests.services import QUICK
from tests.trees import tree

BY_POETRY = [combination.but(package_manager="poetry") for combination in COVERING]
# They get what uv installs (test_locks.py), so one for each database is enough to be run: the
# last, as the first have the most tests.
RUN = {combination["database"]: combination for combination in BY_POETRY}.values()


@pytest.mark.parametrize("combination", BY_POETRY, ids=str)
def test_poetry_installs_just_the_lock(combination: Combination, tmp_path: Path) -> None:
    folder = shutil.copytree(tree(combination), tmp_path / "service")
    # Where the index speaks only the simple format, poetry needs the mirror plugin, which wants an
    # address: that of the index that pip would ask.
    variables = {
        "POETRY_PYPI_MIRROR_URL": PyPI.simple_url,
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "TEST_DATABASE_URL": postgresql().get_uri(),
    }
    run("poetry", "install", "--no-interaction", cwd=folder, **variables)
    left = run("poetry", "sync", "--dry-run", cwd=folder, **variables)
    assert "0 installs, 0 updates, 0 removals" in left
    if combination in RUN:
        quick = ("--maxfail", "5", "-m", QUICK)
        run("poetry", "run", "pytest", "-q", *quick, cwd=folder, **variables)
