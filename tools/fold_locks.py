"""Refresh what fixes the versions of generated services: ``make lock``, or ``make relock``.

For uv that is the date in pyproject.toml, which ``make lock`` moves on to now. For poetry it is
poetry.lock: the locks of all combinations are made and folded into one template, in which each
package stands under a condition that selects the combinations whose lock has it. Each of them gets
its own lock back, byte for byte (tests/test_locks.py). The service's poetry.lock includes it, for
poetry only, because jinja takes a tenth of a second to compile it.

``make relock`` (``--keep``) only takes in dependencies that changed: all others keep their versions.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import Version
from pip._internal.models.index import PyPI

from tests.combinations import BEHAVIOURS, ROOT, Combination
from tests.trees import tree

TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
FOLDED = ROOT / "templates/folded/poetry.lock"
# No other neutral answer changes a dependency.
BY_POETRY = [combination.but(package_manager="poetry") for combination in BEHAVIOURS]
PACKAGE = re.compile(r'^\[\[package\]\]\nname = "(.+)"\nversion = "(.+)"', re.MULTILINE)

Place = tuple[int, str, Version]


def main() -> None:
    """Move the versions on, or keep them."""
    match sys.argv[1:]:
        case []:
            move_date_on()
            FOLDED.write_text(fold(locks(workers=1, keep=False)), "utf-8")
        case ["--keep"]:
            FOLDED.write_text(fold(locks(workers=os.cpu_count() or 1, keep=True)), "utf-8")
        case _:
            sys.exit("usage: python -m tools.fold_locks [--keep]")


def move_date_on() -> None:
    """Let uv take what has been released by now."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00Z}"
    for file in (ROOT / "pyproject.toml", TEMPLATE / "pyproject.toml"):
        text = file.read_text("utf-8")
        text = re.sub('(?<=^exclude-newer = ").+?(?=")', now, text, flags=re.MULTILINE)
        file.write_text(text, "utf-8")


def locks(*, workers: int, keep: bool) -> dict[Combination, str]:
    """Return the lock of each combination; one is made for each distinct set of dependencies.

    Each starts from the lock that it had, or from the one before: then all agree on the newest
    versions of what they share.
    """
    with redirect_stdout(None):  # each service says what comes next
        projects = {it: (tree(it) / "pyproject.toml").read_text("utf-8") for it in BY_POETRY}
    first = {project: it for it, project in reversed(projects.items())}
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(workers) as threads:
        folder = Path(name)
        seed = None if keep else folder / "poetry.lock"
        services = [folder / str(number) for number, _ in enumerate(first)]
        for service, combination in zip(services, first.values(), strict=True):
            service.mkdir()
            for file in ("pyproject.toml", "poetry.lock"):
                shutil.copy(tree(combination) / file, service)
        made = dict(zip(first, threads.map(lambda it: _lock(it, seed), services), strict=True))
    return {it: made[project] for it, project in projects.items()}


def _lock(service: Path, seed: Path | None) -> str:
    """Lock a service, beginning with its own lock, or with the seed, which it replaces."""
    lock = service / "poetry.lock"
    if seed is not None:
        lock.unlink(missing_ok=True)
        if seed.exists():
            shutil.copy(seed, lock)
    variables = {
        **os.environ,
        "POETRY_PYPI_MIRROR_URL": PyPI.simple_url,
        "POETRY_VIRTUALENVS_CREATE": "false",
    }
    command = [sys.executable, "-m", "poetry", "lock", "--no-interaction"]
    subprocess.run(command, cwd=service, env=variables, stdout=subprocess.DEVNULL, check=True)
    if seed is not None:
        shutil.copy(lock, seed)
    return lock.read_text("utf-8")


def fold(locks: Mapping[Combination, str]) -> str:
    """Return a template that renders to each of the locks."""
    users: dict[tuple[Place, str], list[Combination]] = {}
    for combination, lock in locks.items():
        for block in re.split(r"(?=^\[\[package\]\]|^\[metadata\])", lock, flags=re.MULTILINE):
            users.setdefault((_place(block), block), []).append(combination)
    return "".join(
        block
        if len(chosen) == len(locks)
        else f"# {{% if {condition(chosen, list(locks))} %}}\n{block}# {{% endif %}}\n"
        for (_, block), chosen in sorted(users.items(), key=lambda user: user[0])
    )


def _place(block: str) -> Place:
    """Order as poetry does: the head, the packages by name and version, the metadata."""
    if package := PACKAGE.match(block):
        return 1, package[1].lower(), Version(package[2])
    return 2 if block.startswith("[metadata]") else 0, "", Version("0")


def condition(chosen: list[Combination], every: list[Combination]) -> str:
    """Return an expression that is true in the chosen combinations and false in the others.

    It is a choice of conjunctions: each starts as all answers of a combination that is not covered
    yet, and loses those without which it still covers only chosen ones.
    """
    left = chosen
    conjunctions: list[str] = []
    while left:
        answers = dict(left[0].answers)
        for question in list(answers):
            fewer = {name: answer for name, answer in answers.items() if name != question}
            if all(it in chosen for it in every if _has(it, fewer)):
                answers = fewer
        left = [it for it in left if not _has(it, answers)]
        conjunctions.append(" and ".join(_said(*answer) for answer in answers.items()))
    if len(conjunctions) == 1:
        return conjunctions[0]
    return " or ".join(f"({it})" if " and " in it else it for it in conjunctions)


def _has(combination: Combination, answers: dict[str, str | bool]) -> bool:
    return answers.items() <= dict(combination.answers).items()


def _said(question: str, answer: str | bool) -> str:
    name = f"cookiecutter.{question}"
    if isinstance(answer, str):
        return f'{name} == "{answer}"'
    return name if answer else f"not {name}"


if __name__ == "__main__":
    main()
