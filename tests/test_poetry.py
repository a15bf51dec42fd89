"""Services managed by poetry are installed by poetry and run their own tests."""

import shutil
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from tests.combinations import AXES, DEFAULTS, Combination
from tests.programs import run
from tests.services import postgresql
from tests.trees import tree

BY_POETRY = [
    DEFAULTS.but(package_manager="poetry", database=database) for database in AXES["database"]
]


@pytest.mark.parametrize("combination", BY_POETRY, ids=str)
def test_poetry_installs_and_runs(combination: Combination, tmp_path: Path) -> None:
    folder = shutil.copytree(tree(combination), tmp_path / "service")
    # Where the index speaks only the simple format, poetry needs the mirror plugin, which wants an
    # address: that of the index that pip would ask.
    variables = {
        "POETRY_PYPI_MIRROR_URL": PyPI.simple_url,
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "TEST_DATABASE_URL": postgresql().get_uri(),
    }
    run("poetry", "install", "--no-interaction", cwd=folder, **variables)
    run(
        "poetry", "run", "pytest", "-q", "--maxfail", "5", "-m", "not slow", cwd=folder, **variables
    )
