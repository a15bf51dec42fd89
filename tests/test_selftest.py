"""The suite itself: each stored fault turns it red, and it says in which combination."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.combinations import BY_NAME, ROOT
from tests.programs import environment, run
from tests.test_repository import tracked
from tests.trees import BUILD

PATCHES = Path(__file__).parent / "patches"
OWN_TESTS = "test_run.py::test_own_tests"
IMPORTS = "test_render.py::test_imports_are_declared"
TRACES = "test_traces.py::test_answers_not_given_leave_no_trace"


@pytest.mark.parametrize(
    ("fault", "test", "name", "reason"),
    [
        ("broken-import", OWN_TESTS, "defaults", "cannot import name 'quoted'"),
        ("undeclared-import", OWN_TESTS, "fan_out=false", "No module named 'asyncpg'"),
        ("development-import", IMPORTS, "defaults", "{'hypothesis'}"),
        ("removed-route", OWN_TESTS, "async_db=false", "assert 404 == 422"),
        ("leak", TRACES, "fan_out=false", "app/kit/logging.py:2"),
    ],
    ids=["broken import", "undeclared import", "development import", "removed route", "leak"],
)
def test_fault_turns_the_suite_red(
    fault: str, test: str, name: str, reason: str, tmp_path: Path
) -> None:
    _copy_repository(tmp_path)
    run("git", "apply", "--unidiff-zero", PATCHES / f"{fault}.patch", cwd=tmp_path)
    suite = subprocess.run(
        [sys.executable, "-m", "pytest", "--run", "all", f"tests/{test}[{name}]"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert suite.returncode == pytest.ExitCode.TESTS_FAILED, suite.stdout
    assert f"FAILED tests/{test}[{name}]" in suite.stdout
    assert reason in suite.stdout
    assert BY_NAME[name].command_line in suite.stdout


def _copy_repository(folder: Path) -> None:
    for path in tracked():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    if (BUILD / "locks").is_dir():  # or it makes them
        shutil.copytree(BUILD / "locks", folder / "build/locks")
