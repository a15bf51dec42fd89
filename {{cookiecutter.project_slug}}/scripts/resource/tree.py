"""A copy of the service, in which a resource is written and tried."""

import shutil
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.util import template_to_file

from scripts.resource import RefusedError, lines
from scripts.resource.listing import list_resource, listing_files, new_files
from scripts.resource.record import read_text, write_text
from scripts.resource.resource import Resource
from scripts.resource.service import ROOT

TEMPLATES = Path(__file__).parent / "templates"
# Ruff would look for these modules, but the copy does not have all of them.
OWN_PACKAGES = 'lint.isort.known-first-party = ["app", "tests"]'


@contextmanager
def copied() -> Generator[Path]:
    """Yield a copy of what the resource changes, in which everything is tried first."""
    with TemporaryDirectory(prefix="resource-") as folder:
        copy = Path(folder)
        for name in ("app", "migrations"):
            shutil.copytree(ROOT / name, copy / name)
        shutil.copy(ROOT / "pyproject.toml", copy)
        yield copy


def write(resource: Resource, copy: Path) -> dict[str, list[str]]:
    """Write the files of the resource into the copy; return the lines added to existing files.

    The new files are as the templates make them: see ``tidy``.
    """
    new = new_files(resource)
    for path, template in new.items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        source = TEMPLATES / f"{template}.py.mako"
        template_to_file(source, copy / path, "utf-8", r=resource)
    added = {}
    for path in listing_files(resource):
        before = read_text(ROOT / path)
        try:
            after = list_resource(resource, path, before)
        except (RefusedError, SyntaxError) as error:
            raise RefusedError(f"{path} cannot list the resource: {error}") from None
        write_text(copy / path, after)
        added[path] = lines.added(before, after)
    return added


def tidy(copy: Path, new: Iterable[str]) -> None:
    """Format the new files; remove imports that the templates have for other fields than these."""
    run_ruff(copy, "check", "--fix", "--quiet", "--config", OWN_PACKAGES, *new)
    run_ruff(copy, "format", "--quiet", *new)


def run_ruff(folder: Path, *command: str) -> None:
    """Run ruff; raise ``RefusedError`` with what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", command[0], "--no-cache", *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RefusedError(f"ruff refuses the new files: {done.stdout or done.stderr}")
