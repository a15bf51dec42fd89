"""What a session runs: the services that differ from those of a commit, or one part of all tests.

``--run`` names the part of the services' own tests. ``--since <commit>`` compares rendered trees, so
a change of the template counts only where it changes a service. ``--shard 1/8`` deals all tests out
by the time that they usually take.
"""

import io
import re
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

from tests.combinations import BEHAVIOURS, COVERING, EACH_ANSWER, MOST, ROOT, Combination
from tests.engines import Refused
from tests.trees import BUILD, make_room, read, rendered, tree

# Names every question, also one that changes nothing else in this service.
ANSWERS_FILE = ".copier-answers.yml"
T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """What ``--run`` asks for: the quick part, which `make test` runs, the rest, or both."""

    has_quick: bool
    has_rest: bool
    services: Sequence[Combination] = ()
    """Those whose own tests the rest runs."""
    growing: Sequence[Combination] = ()
    """Those to which the rest adds resources."""
    on_other_pythons: Sequence[Combination] = ()
    """Those whose quick tests the rest runs on each other Python."""
    typed: Sequence[Combination] = ()
    """Those whose types are checked."""

    def of(self, quick: Sequence[T], rest: Sequence[T]) -> list[T]:
        """Choose from what belongs to each part."""
        return [*(quick if self.has_quick else ()), *(rest if self.has_rest else ())]


ALL_SERVICES = Run(
    has_quick=True,
    has_rest=True,
    services=BEHAVIOURS,
    growing=BEHAVIOURS,
    on_other_pythons=COVERING,
    typed=BEHAVIOURS,
)
REST = replace(ALL_SERVICES, has_quick=False)
RUNS = {
    "quick": Run(has_quick=True, has_rest=False, typed=COVERING),
    "most": replace(REST, services=MOST, growing=COVERING, on_other_pythons=EACH_ANSWER),
    "rest": REST,
    "all": ALL_SERVICES,
}


class Commit:
    """A committed state of the template."""

    def __init__(self, name: str) -> None:
        revision = f"{name}^{{commit}}"
        found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        if found.returncode:
            raise pytest.UsageError(
                f"--since: this clone has no commit {name!r}; use one that `git log` shows "
                "(a shallow clone lacks older ones)"
            )
        self._folder = BUILD / "commits" / found.stdout.decode().strip()

    def differs(self, combination: Combination) -> bool:
        """Tell whether the service of these answers has changed since, or is new."""
        try:
            before = read(rendered(combination, self._folder, self._template()))
        except Refused:
            return True
        return _without_answers(before) != _without_answers(read(tree(combination)))

    def _template(self) -> Path:
        """Write the files of the commit, once."""
        make_room(self._folder)
        folder = self._folder / ".template"
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                archive = _git("archive", self._folder.name)
                with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
                    files.extractall(folder, filter="data")
        return folder


def _git(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, check=False)


def _without_answers(texts: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in texts.items() if path != ANSWERS_FILE}


class Shard:
    """One part of several, which together are everything."""

    def __init__(self, text: str) -> None:
        match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
        if not match or int(match[1]) > int(match[2]):
            raise pytest.UsageError(f"--shard: use a part such as 1/8, not {text!r}")
        self._index, self._count = int(match[1]) - 1, int(match[2])

    def part(self, seconds: dict[str, float]) -> set[str]:
        """Return the names of this part; ``seconds`` has all names and the time that each takes.

        The longest comes first, to the part that has the least to do. Equal ones go in the order
        of their names, so that all machines deal alike.
        """
        loads = [0.0] * self._count
        mine: set[str] = set()
        for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
            least = loads.index(min(loads))
            loads[least] += seconds[name]
            if least == self._index:
                mine.add(name)
        return mine
