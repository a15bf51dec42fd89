"""Every combination, all services at once: each tool reads the whole lot in one run."""

import re
import shutil
from pathlib import Path

import pytest

from tests.combinations import BEHAVIOURS, CROSSED, Combination
from tests.environments import superset
from tests.programs import run
from tests.trees import forest, texts, tree

# The trees lie under build/, which is ignored by git and so by ruff.
RUFF_OPTIONS = ("--no-cache", "--no-respect-gitignore", "--config", "output-format='concise'")


@pytest.fixture(scope="module")
def trees() -> Path:
    """Render what is missing and return the folder of all."""
    for combination in CROSSED:
        tree(combination)
    return forest()


def test_ruff_check(trees: Path) -> None:
    assert "No Python files" not in run("ruff", "check", *RUFF_OPTIONS, ".", cwd=trees)


def test_no_exception_from_security_rules(trees: Path) -> None:
    """Neither a comment nor the configuration of a service takes its code out of ruff's ``S``."""
    rules = ("--isolated", "--ignore-noqa", "--select", "S")
    run("ruff", "check", *RUFF_OPTIONS, *rules, *trees.glob("*/*/app"), cwd=trees)


def test_bandit(trees: Path, tmp_path: Path) -> None:
    """Find nothing of medium severity, in files that differ; a planted fault shows that it looks."""
    folders = ("app/", "migrations/", "scripts/")
    sources = {
        text: tree(combination) / path
        for combination in BEHAVIOURS
        for path, text in texts(combination).items()
        if path.startswith(folders) and path.endswith(".py")
    }
    planted = tmp_path / "planted.py"
    planted.write_text("eval(input())\n", "utf-8")
    options = ("--quiet", "--exit-zero", "--ignore-nosec", "--severity-level", "medium")
    concise = ("--format", "custom", "--msg-template", "{abspath}:{line}: {test_id} {msg}")
    printed = run("bandit", *options, *concise, planted, *sources.values(), cwd=trees)
    faults = [line for line in printed.splitlines() if not line.startswith(f"{planted}:1:")]
    assert not faults and str(planted) in printed, "\n".join(faults)


def test_ruff_format(trees: Path) -> None:
    printed = run("ruff", "format", "--check", *RUFF_OPTIONS, ".", cwd=trees)
    formatted = re.search(r"^(\d+) files already formatted$", printed, re.MULTILINE)
    sources = sum(path.endswith(".py") for combination in CROSSED for path in texts(combination))
    assert formatted and int(formatted[1]) >= sources


def test_shellcheck(trees: Path) -> None:
    scripts = {path.read_bytes(): path for path in trees.rglob("*.sh")}
    assert scripts
    run("shellcheck", "--severity=style", *scripts.values(), cwd=trees)


def test_types(trees: Path, tmp_path: Path) -> None:
    """Check the types of all services in one run, in which ty reads their dependencies once.

    To that end each service moves into a package of its own. A fault planted among them shows that
    all of them were read.
    """
    packages = {_move_into_package(it, tmp_path): it.name for it in BEHAVIOURS}
    shutil.copy(tree(BEHAVIOURS[0]) / "pyproject.toml", tmp_path)
    (tmp_path / "planted.py").write_text('number: int = "text"\n', "utf-8")
    options = ("--exit-zero", "--output-format", "concise", "--python", superset())
    printed = run("ty", "check", *options, ".", cwd=tmp_path)
    printed = re.sub(
        r"^\w+(?=/)", lambda package: packages[package[0]], printed, flags=re.MULTILINE
    )
    faults = [line for line in printed.splitlines() if not line.startswith("planted.py:")]
    assert faults == ["Found 1 diagnostic"], "\n".join(faults)


def _move_into_package(combination: Combination, folder: Path) -> str:
    """Copy its modules, and let them import each other by their new names."""
    files = texts(combination)
    package = re.sub(r"\W", "_", combination.name)
    own = "|".join(sorted({path.split("/")[0] for path in files if path.endswith(".py")}))
    imported = re.compile(rf"^(\s*(?:from|import) )({own})\b", re.MULTILINE)
    for path, text in files.items():
        if path.endswith(".py"):
            moved = folder / package / path
            moved.parent.mkdir(parents=True, exist_ok=True)
            moved.write_text(imported.sub(rf"\1{package}.\2", text), "utf-8")
    return package
