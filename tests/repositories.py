"""Services as their owners keep them: generated from a published release, in git, updated."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.engines import Answers, settings, snapshot
from tests.programs import run
from tests.releases import NEUTRAL, git

ANSWERS_FILE = ".copier-answers.yml"


def stored_answers(folder: Path) -> dict[str, str | bool]:
    """Return what a service remembers of its making."""
    return yaml.safe_load((folder / ANSWERS_FILE).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Repository:
    """A service under version control."""

    folder: Path

    @classmethod
    def born(
        cls, engine: str, url: str, release: str, workplace: Path, **answers: str | bool
    ) -> "Repository":
        """Generate one from a release, by the commands that users give, and commit it."""
        workplace.mkdir(exist_ok=True)
        make = {"cookiecutter": _with_cookiecutter, "copier": _with_copier}[engine]
        make(url, release, workplace, answers)
        repository = cls(workplace / "recipe-api")
        git(repository.folder, "init", "--quiet", "--initial-branch=main")
        repository.commit()
        return repository

    def commit(self) -> None:
        """Commit everything."""
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--message=Go on")

    def update(self, *options: str) -> str:
        """Take what the template has to give; return what copier says."""
        return _copier("update", "--defaults", *options, cwd=self.folder)

    def status(self) -> list[str]:
        """Return what git says about changed files, a line for each."""
        return git(self.folder, "status", "--porcelain", "--untracked-files=all").splitlines()

    def contents(self) -> dict[str, tuple[str, bytes]]:
        """Map each path to its mode and bytes, copier's answers included."""
        entries = snapshot(self.folder).items()
        own = {path: entry for path, entry in entries if path.split("/")[0] != ".git"}
        return own | {ANSWERS_FILE: ("", (self.folder / ANSWERS_FILE).read_bytes())}

    def says(self, path: str, *words: str) -> bool:
        """Tell whether a file has these words."""
        text = (self.folder / path).read_text(encoding="utf-8")
        return all(word in text for word in words)


def _with_cookiecutter(url: str, release: str, folder: Path, answers: Answers) -> None:
    options = ("--no-input", "--config-file", settings(), "--checkout", release)
    data = [f"{key}={value}" for key, value in answers.items()]
    run("cookiecutter", *options, url, *data, cwd=folder, **NEUTRAL)


def _with_copier(url: str, release: str, folder: Path, answers: Answers) -> None:
    data = [f"--data={key}={value}" for key, value in answers.items()]
    options = ("--defaults", "--vcs-ref", release)
    _copier("copy", *options, *data, url, "recipe-api", cwd=folder)


def _copier(*command: str, cwd: Path) -> str:
    """Run copier; what it keeps of templates goes where cookiecutter's clones go as well."""
    return run("copier", *command, cwd=cwd, COPIER_CACHE_DIR=str(settings().parent), **NEUTRAL)
