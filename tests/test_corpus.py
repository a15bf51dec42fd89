"""Every combination, all services at once: each tool reads the whole lot in one run."""

import re
import shutil
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.combinations import CROSSED
from tests.environments import superset
from tests.parsing import imported
from tests.programs import run
from tests.selection import RUNS
from tests.trees import forest, texts, tree

# The trees lie under build/, which is ignored by git and so by ruff.
RUFF_OPTIONS = ("--no-cache", "--no-respect-gitignore", "--config", "output-format='concise'")


@pytest.fixture(scope="module")
def trees() -> Path:
    """Render what is missing and return the folder of all."""
    for combination in CROSSED:
        tree(combination)
    return forest()


@pytest.fixture(scope="module")
def sources(trees: Path) -> list[Path]:
    """Return the modules of all services; of those that linters cannot tell apart, one."""
    chosen: dict[object, Path] = {}
    for combination in CROSSED:
        service = texts(combination)
        configuration = tomllib.loads(service["pyproject.toml"])["tool"]["ruff"]
        for path in (path for path in service if path.endswith(".py")):
            is_packaged = f"{path.rpartition('/')[0]}/__init__.py" in service
            key = (path, service[path], is_packaged, str(configuration))
            chosen.setdefault(key, tree(combination) / path)
    return list(chosen.values())


def within(modules: list[Path], *folders: str) -> list[Path]:
    """Return those in some folders of their services."""
    return [path for path in modules if path.relative_to(forest()).parts[2] in folders]


def ruff(command: str, *options: str, folder: Path, modules: list[Path]) -> str:
    """Run ruff over modules, whose names are too many for a command line."""
    named = folder / "modules"
    named.write_text("".join(f"{path}\n" for path in modules), "utf-8")
    return run("ruff", command, *RUFF_OPTIONS, *options, f"@{named}", cwd=folder)


def test_ruff_check(trees: Path, sources: list[Path], tmp_path: Path) -> None:
    modules = [*sources, *trees.glob("*/*/pyproject.toml")]
    assert "All checks passed" in ruff("check", folder=tmp_path, modules=modules)


def test_no_exception_from_security_rules(sources: list[Path], tmp_path: Path) -> None:
    """Neither a comment nor the configuration of a service takes its code out of ruff's ``S``."""
    rules = ("--isolated", "--ignore-noqa", "--select", "S")
    modules = within(sources, "app")
    assert "All checks passed" in ruff("check", *rules, folder=tmp_path, modules=modules)


def test_bandit(sources: list[Path], tmp_path: Path) -> None:
    """Find nothing of medium severity; a planted fault shows that it looks."""
    shipped = within(sources, "app", "migrations", "scripts")
    planted = tmp_path / "planted.py"
    planted.write_text("eval(input())\n", "utf-8")
    options = ("--quiet", "--exit-zero", "--ignore-nosec", "--severity-level", "medium")
    concise = ("--format", "custom", "--msg-template", "{abspath}:{line}: {test_id} {msg}")
    printed = run("bandit", *options, *concise, planted, *shipped, cwd=tmp_path)
    faults = [line for line in printed.splitlines() if not line.startswith(f"{planted}:1:")]
    assert not faults and str(planted) in printed, "\n".join(faults)


def test_ruff_format(sources: list[Path], tmp_path: Path) -> None:
    printed = ruff("format", "--check", folder=tmp_path, modules=sources)
    assert printed.strip() == f"{len(sources)} files already formatted"


def test_shellcheck(trees: Path) -> None:
    scripts = {path.read_bytes(): path for path in trees.rglob("*.sh")}
    assert scripts
    run("shellcheck", "--severity=style", *scripts.values(), cwd=trees)


def test_types(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Check the types of services in one run, in which ty reads their dependencies once.

    To that end each service moves into a package of its own. Of modules that are the same in several
    services, and import the same, one is checked: this takes a sixth of the time. A planted fault
    shows that ty looks.
    """
    services = RUNS[request.config.getoption("run")].typed
    chosen: dict[object, str] = {}
    for number, combination in enumerate(services):
        sources = {path: text for path, text in texts(combination).items() if path[-3:] == ".py"}
        _move_into_package(sources, tmp_path / f"service_{number}")
        for path, needed in _needed(sources).items():
            chosen.setdefault((path, needed), f"service_{number}/{path}")
    shutil.copy(tree(services[0]) / "pyproject.toml", tmp_path)
    (tmp_path / "planted.py").write_text('number: int = "text"\n', "utf-8")
    options = ("--exit-zero", "--output-format", "concise", "--python", superset())
    printed = run("ty", "check", *options, "planted.py", *chosen.values(), cwd=tmp_path)
    printed = re.sub(
        r"^service_(\d+)", lambda it: str(services[int(it[1])]), printed, flags=re.MULTILINE
    )
    faults = [line for line in printed.splitlines() if not line.startswith("planted.py:")]
    assert faults == ["Found 1 diagnostic"], "\n".join(faults)


def _move_into_package(sources: dict[str, str], package: Path) -> None:
    """Copy the modules of a service; in the copy, they import each other by their new names."""
    own = "|".join(sorted({path.split("/")[0] for path in sources}))
    imported = re.compile(rf"^(\s*(?:from|import) )({own})\b", re.MULTILINE)
    for path, text in sources.items():
        moved = package / path
        moved.parent.mkdir(parents=True, exist_ok=True)
        moved.write_text(imported.sub(rf"\1{package.name}.\2", text), "utf-8")


def _needed(sources: dict[str, str]) -> dict[str, frozenset[tuple[str, str]]]:
    """Return with each module of a service all those that it imports, directly or not, and itself."""
    direct = {
        path: {
            file
            for name in _imported(text)
            for file in (f"{name}.py", f"{name}/__init__.py")
            if file in sources
        }
        for path, text in sources.items()
    }
    return {path: _reached(path, direct, sources) for path in sources}


def _reached(
    path: str, direct: dict[str, set[str]], sources: dict[str, str]
) -> frozenset[tuple[str, str]]:
    reached: set[str] = set()
    left = [path]
    while left:
        if (module := left.pop()) not in reached:
            reached.add(module)
            left += direct[module]
    return frozenset((module, sources[module]) for module in reached)


@cache
def _imported(text: str) -> frozenset[str]:
    """Return what a module imports as paths without suffix; also each package on the way there."""
    parts = [name.split(".") for name in imported(text)]
    return frozenset("/".join(it[: end + 1]) for it in parts for end in range(len(it)))
