"""Generated services, each rendered once and kept under build/ until the template changes.

The tests share these trees, so they only read them; who runs a service works on a copy.
"""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import cookiecutter.hooks
from filelock import FileLock

from tests.combinations import ROOT, Combination
from tests.engines import with_cookiecutter
from tests.speed import run_hook

BUILD = ROOT / "build"
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
DAY_SECONDS = 86_400
LEFT_BY_PROGRAMS = {"__pycache__", ".pytest_cache", ".ruff_cache", ".venv"}


def files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, sorted, without what programs leave behind."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not LEFT_BY_PROGRAMS.intersection(path.parts):
            yield path


def _template_digest() -> str:
    """Name the state of all that the output depends on."""
    sources = [ROOT / name for name in ("cookiecutter.json", "tests/engines.py", "tests/speed.py")]
    digest = hashlib.sha256()
    folders = (ROOT / "hooks", ROOT / "templates", TEMPLATE)
    for path in [*sources, *(path for folder in folders for path in files(folder))]:
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_mode:o}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def make_room(folder: Path) -> None:
    """Make a folder; delete those beside it that no session has made for a day."""
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other != folder and time.time() - other.stat().st_mtime > DAY_SECONDS:
            shutil.rmtree(other, ignore_errors=True)


@cache
def forest() -> Path:
    """Return the folder of all trees; delete those of older states of the template.

    The first process of a session decides, so that an edit meanwhile does not part the others.
    """
    folder = BUILD / "trees" / os.environ.setdefault("TEMPLATE_DIGEST", _template_digest())
    make_room(folder)
    return folder


@cache
def tree(combination: Combination) -> Path:
    """Return the service of these answers, rendered now or earlier."""
    return rendered(combination, forest())


def rendered(combination: Combination, folder: Path, source: Path | None = None) -> Path:
    """Return the service as a template makes it; ``folder`` keeps the services of this template."""
    home = folder / combination.name
    with FileLock(folder / f".{combination.name}.lock"):
        if not home.is_dir():
            # Elsewhere: tools that read the whole forest must not meet it.
            unfinished = BUILD / "unfinished" / folder.name / combination.name
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            with patch.object(cookiecutter.hooks, "run_script", run_hook):
                with_cookiecutter(dict(combination.answers), unfinished, source)
            unfinished.rename(home)
    return next(path for path in home.iterdir())


@cache
def texts(combination: Combination) -> dict[str, str]:
    """Return the text of each file of a service, by its path."""
    return read(tree(combination))


def read(folder: Path) -> dict[str, str]:
    """Return the text of each file below a folder, by its path.

    Interned: most services share most texts, and caches find them at once.
    """
    return {
        path.relative_to(folder).as_posix(): sys.intern(path.read_bytes().decode())
        for path in files(folder)
    }
