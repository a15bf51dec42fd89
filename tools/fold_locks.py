"""Refresh what fixes the versions of generated services: ``make lock``.

For uv that is the date in pyproject.toml, which moves on to now. For poetry it is poetry.lock: the
locks of all combinations are made anew and folded into one template, in which each package stands
under a condition that selects the combinations whose lock has it. Each of them gets its own lock
back, byte for byte (tests/test_locks.py). The service's poetry.lock includes it, for poetry only,
because jinja takes a tenth of a second to compile it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import Version
from pip._internal.models.index import PyPI

from tests.combinations import ALL, ROOT, Combination
from tests.engines import with_cookiecutter

TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
FOLDED = ROOT / "templates/folded/poetry.lock"
BY_POETRY = [combination for combination in ALL if combination["package_manager"] == "poetry"]
PACKAGE = re.compile(r'^\[\[package\]\]\nname = "(.+)"\nversion = "(.+)"', re.MULTILINE)

Place = tuple[int, str, Version]


def main() -> None:
    """Do both."""
    move_date_on()
    FOLDED.write_text(fold(locks()), "utf-8")


def move_date_on() -> None:
    """Let uv take what has been released by now."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00Z}"
    for file in (ROOT / "pyproject.toml", TEMPLATE / "pyproject.toml"):
        text = file.read_text("utf-8")
        text = re.sub('(?<=^exclude-newer = ").+?(?=")', now, text, flags=re.MULTILINE)
        file.write_text(text, "utf-8")


def locks() -> dict[Combination, str]:
    """Return the lock of each combination; one is made for each distinct set of dependencies.

    Each starts from the one before, so that all agree on the versions of what they share.
    """
    made: dict[str, str] = {}
    found: dict[Combination, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        seed = Path(folder) / "poetry.lock"
        for combination in BY_POETRY:
            service = with_cookiecutter(dict(combination.answers), Path(folder))
            project = (service / "pyproject.toml").read_text("utf-8")
            if project not in made:
                made[project] = _lock(service, seed)
            found[combination] = made[project]
            shutil.rmtree(service)
    return found


def _lock(service: Path, seed: Path) -> str:
    lock = service / "poetry.lock"
    lock.unlink(missing_ok=True)
    if seed.exists():
        shutil.copy(seed, lock)
    variables = {**os.environ, "POETRY_PYPI_MIRROR_URL": PyPI.simple_url}
    command = [sys.executable, "-m", "poetry", "lock", "--no-interaction"]
    subprocess.run(command, cwd=service, env=variables, check=True)
    shutil.copy(lock, seed)
    return lock.read_text("utf-8")


def fold(locks: dict[Combination, str]) -> str:
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
