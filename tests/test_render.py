"""Every combination, one service at a time: what its files look like from the outside."""

import re
import sys
import tomllib
from functools import cache

import pytest

from tests.combinations import (
    ALL,
    AXES,
    BEHAVIOURS,
    CROSSED,
    NEUTRAL,
    PAIRS,
    Combination,
    context,
)
from tests.environments import importable
from tests.parsing import imported, parse
from tests.trees import TEMPLATE, files, texts, tree

ONLY_WITH: dict[str, dict[str, list[str]]] = context(ALL[0])["_only_with"]
CONDITIONAL = {
    path for answers in ONLY_WITH.values() for paths in answers.values() for path in paths
}
# Says that the hooks have not run, and is in no service.
UNFINISHED = {"GNUmakefile"}
TAG = re.compile(r"# \{[%#]|cookiecutter|_only_with|__omit")
FORBIDDEN_ON_WINDOWS = re.compile(
    r'[<>:"|?*\\\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE
)
# The only files in which the answer to a neutral question shows.
NEUTRAL_FILES = {
    "package_manager": {
        ".copier-answers.yml",
        ".dockerignore",
        ".github/dependabot.yml",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".gitlab-ci.yml",
        ".pre-commit-config.yaml",
        "AGENTS.md",
        "Dockerfile",
        "Makefile",
        "README.md",
        "docs/deploying.md",
        "docs/pipeline.md",
        "docs/schema.md",
        "poetry.lock",
        "pyproject.toml",
    },
    "deployment": {
        ".copier-answers.yml",
        ".devcontainer/devcontainer.json",
        ".dockerignore",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "Dockerfile",
        "Makefile",
        "README.md",
        "app/kit/db/migrations/wait.py",
        "compose.yaml",
        "deploy/backup.sh",
        "deploy/healthcheck.py",
        "deploy/host.sh",
        "deploy/kubernetes/base/autoscaler.yaml",
        "deploy/kubernetes/base/disruption-budget.yaml",
        "deploy/kubernetes/base/kustomization.yaml",
        "deploy/kubernetes/base/migration.yaml",
        "deploy/kubernetes/base/network-upstream.yaml",
        "deploy/kubernetes/base/network.yaml",
        "deploy/kubernetes/base/pod.yaml",
        "deploy/kubernetes/base/service.yaml",
        "deploy/kubernetes/base/settings.env",
        "deploy/kubernetes/base/wait-for-migration.yaml",
        "deploy/kubernetes/base/web.yaml",
        "deploy/kubernetes/base/worker.yaml",
        "deploy/kubernetes/deploy.sh",
        "deploy/kubernetes/production/kustomization.yaml",
        "deploy/kubernetes/production/namespace.yaml",
        "deploy/kubernetes/production/settings.env",
        "deploy/kubernetes/staging/kustomization.yaml",
        "deploy/kubernetes/staging/namespace.yaml",
        "deploy/kubernetes/staging/settings.env",
        "deploy/restore.sh",
        "docs/deploying.md",
        "docs/pipeline.md",
        "scripts/remove_example.py",
        "tests/kit/db/test_wait_for_migration.py",
        "tests/test_kubernetes.py",
    },
    "ci": {
        ".copier-answers.yml",
        ".github/dependabot.yml",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".gitlab-ci.yml",
        "Makefile",
        "README.md",
        "docs/pipeline.md",
        "renovate.json",
        "scripts/check_migrations.py",
    },
}

everywhere = pytest.mark.parametrize("combination", CROSSED, ids=str)


@everywhere
def test_no_tag_is_left(combination: Combination) -> None:
    assert not [path for path, text in texts(combination).items() if _has_tag(text)]


@cache
def _has_tag(text: str) -> bool:
    return bool(TAG.search(text))


@everywhere
def test_files_suit_every_system(combination: Combination) -> None:
    for path, text in texts(combination).items():
        assert "\r" not in text, path
        assert text.endswith("\n") or not text, path
        assert not any(FORBIDDEN_ON_WINDOWS.search(part) for part in path.split("/")), path
    assert len({path.casefold() for path in texts(combination)}) == len(texts(combination))


@everywhere
def test_exactly_scripts_are_executable(combination: Combination) -> None:
    folder = tree(combination)
    executable = {path for path in texts(combination) if (folder / path).stat().st_mode & 0o111}
    scripts = {path for path, text in texts(combination).items() if text.startswith("#!")}
    assert executable == scripts


@everywhere
def test_files_parse(combination: Combination) -> None:
    for path, text in texts(combination).items():
        parse(path, text)


@everywhere
def test_omitted_paths_leave_nothing(combination: Combination) -> None:
    omitted = _omitted(combination)
    assert not [path for path in omitted if (tree(combination) / path).exists()]
    mentioned = {name: _mentioned(text) & omitted for name, text in texts(combination).items()}
    assert not {name: paths for name, paths in mentioned.items() if paths}


@cache
def _mentioned(text: str) -> frozenset[str]:
    """Return the paths of ``_only_with`` that a text names."""
    return frozenset(path for path in CONDITIONAL if _names(text, path))


def _names(text: str, path: str) -> bool:
    """Look for the path, or the name that Python knows it by; a folder's name may be a word."""
    name = path if "." in path else f"{path}/"
    module = path.removesuffix(".py").replace("/", ".")
    if name not in text and module not in text:  # faster than an expression
        return False
    expression = rf"(?<![\w./]){re.escape(name)}|\b(?:from|import|-m) {re.escape(module)}\b"
    return re.search(expression, text) is not None


def _omitted(combination: Combination) -> set[str]:
    return set(context(combination)["__omit"].split())


def test_omitted_paths_exist_and_each_is_sometimes_there() -> None:
    omitted = [_omitted(combination) for combination in CROSSED]
    assert {path for path in CONDITIONAL if (TEMPLATE / path).exists()} == CONDITIONAL
    assert set.union(*omitted) == CONDITIONAL | UNFINISHED
    assert set.intersection(*omitted) == UNFINISHED


@pytest.mark.parametrize("question", ONLY_WITH)
def test_paths_are_listed_by_answer_and_in_order(question: str) -> None:
    possible = {str(answer).lower() for answer in AXES[question]}
    for answers, paths in ONLY_WITH[question].items():
        assert set(answers.split(" or ")) < possible
        assert paths == sorted(set(paths))


@pytest.mark.parametrize("question", ONLY_WITH)
def test_a_folder_is_listed_rather_than_all_that_is_in_it(question: str) -> None:
    for paths in ONLY_WITH[question].values():
        folders = {path.rpartition("/")[0] for path in paths if "/" in path}
        for folder in folders:
            inside = {it.relative_to(TEMPLATE).as_posix() for it in (TEMPLATE / folder).iterdir()}
            unlisted = {it for it in inside - set(paths) if not it.endswith("__init__.py")}
            assert unlisted - {f"{folder}/__pycache__"}, folder


@everywhere
def test_imports_are_declared(combination: Combination) -> None:
    folder = tree(combination)
    own = {path.removesuffix(".py").partition("/")[0] for path in texts(combination)}
    shipped = importable(folder, dev=False) | own | sys.stdlib_module_names
    tools = importable(folder, dev=True)
    for path, text in texts(combination).items():
        if path.endswith(".py"):
            is_shipped = path.startswith(("app/", "migrations/"))
            undeclared = _imports(text) - shipped - (set() if is_shipped else tools)
            assert not undeclared, path


@cache
def _imports(text: str) -> frozenset[str]:
    """Return the names of the packages that a module imports."""
    return frozenset(name.partition(".")[0] for name in imported(text))


@pytest.mark.parametrize("question", NEUTRAL)
def test_neutral_questions_change_only_listed_files(question: str) -> None:
    """In services in which every two other answers meet; only listed files name the question."""
    changed: set[str] = set()
    for combination in PAIRS:
        plain = texts(combination.but(**{question: AXES[question][0]})).items()
        for answer in AXES[question][1:]:
            other = texts(combination.but(**{question: answer})).items()
            changed |= {path for path, _ in plain ^ other}
    assert changed == NEUTRAL_FILES[question]
    naming = {
        path.relative_to(TEMPLATE).as_posix()
        for path in files(TEMPLATE)
        if f"cookiecutter.{question}" in path.read_bytes().decode("utf-8", "ignore")
    }
    assert naming <= changed
    assert changed == NEUTRAL_FILES[question]


def test_the_page_tells_services_that_behave_differently_apart() -> None:
    shown = [tomllib.loads(texts(one)["app/about.toml"])["features"] for one in BEHAVIOURS]
    assert len(set(map(tuple, shown))) == len(BEHAVIOURS)
