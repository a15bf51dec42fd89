"""Both ways to make a service: cookiecutter and copier, in process, from a copy of the template."""

import atexit
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter
from copier import run_copy

ROOT = Path(__file__).parents[1]
TEMPLATE = (
    "cookiecutter.json",
    "copier.yml",
    "hooks",
    "templates",
    "{{cookiecutter.project_slug}}",
)
LEFT_BY_PROGRAMS = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache", ".venv", ".env")

Answers = Mapping[str, str | bool]


class Refused(Exception):
    """The engine would not make a service from these answers."""


def with_cookiecutter(answers: Answers, folder: Path, source: Path | None = None) -> Path:
    """Generate into a folder inside ``folder``; a refusal's sentence goes to file descriptor 2."""
    try:
        project = cookiecutter(
            str(source or template()),
            no_input=True,
            extra_context=dict(answers),
            output_dir=str(folder),
            config_file=str(settings()),
        )
    except (FailedHookException, ValueError) as error:
        raise Refused(str(error)) from error
    return Path(project)


def with_copier(answers: Answers, folder: Path, source: Path | None = None) -> Path:
    """Generate into a folder inside ``folder``; a refusal's sentence is in the exception."""
    project = folder / "service"
    try:
        run_copy(str(source or template()), project, data=dict(answers), defaults=True, quiet=True)
    except ValueError as error:
        raise Refused(str(error)) from error
    return project


def snapshot(project: Path) -> dict[str, tuple[str, bytes]]:
    """Map each path below to its mode bits and bytes, or its target; copier's answers are left out.

    A folder has no bytes.
    """
    return {
        path.relative_to(project).as_posix(): _entry(path)
        for path in sorted(project.rglob("*"))
        if path.name != ".copier-answers.yml"
    }


def _entry(path: Path) -> tuple[str, bytes]:
    if path.is_symlink():
        return "link", os.fsencode(path.readlink())
    if path.is_dir():
        return "folder", b""
    return f"{stat.S_IMODE(path.stat().st_mode):o}", path.read_bytes()


def copy_template(folder: Path) -> Path:
    """Copy what the engines read, without the history, which copier would clone each time."""
    for name in TEMPLATE:
        source, copy = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=LEFT_BY_PROGRAMS)
        else:
            shutil.copy2(source, copy)
    return folder


@cache
def template() -> Path:
    """Return this process' own copy of the template, so that edits meanwhile change no result."""
    return copy_template(_temporary_folder("template"))


@cache
def settings() -> Path:
    """Write settings that keep cookiecutter off those in the home folder, and off its replays."""
    folder = _temporary_folder("cookiecutter")
    file = folder / "settings.yml"
    file.write_text(f"cookiecutters_dir: {folder}\nreplay_dir: {folder}\n", encoding="utf-8")
    return file


def _temporary_folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
