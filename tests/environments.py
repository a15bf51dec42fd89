"""Python environments for generated services, made by uv from locks that are made once."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from filelock import FileLock
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.programs import SCRIPTS, environment, run
from tests.trees import BUILD, TEMPLATE

# The Python of services: that of this session, or any that uv knows: `UV_PYTHON=3.13 make test`.
PYTHON = os.environ.get("UV_PYTHON", f"{sys.version_info.major}.{sys.version_info.minor}")


def pyproject(folder: Path) -> dict[str, Any]:
    """Read a service's pyproject.toml."""
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def requirements(project: dict[str, Any], *, dev: bool) -> list[str]:
    """Return the declared dependencies, with those for development or without."""
    return project["project"]["dependencies"] + (project["dependency-groups"]["dev"] if dev else [])


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def uv_lock(folder: Path, resolution: str = "highest") -> Path:
    """Return the uv.lock of a service; one is made for each distinct set of dependencies.

    The index need not be asked about what `_learn` found out about all packages: 0.2 s instead of
    2 to 6.
    """
    project = pyproject(folder)
    dependencies = (project["project"], project["dependency-groups"], project["tool"]["uv"])
    made = _lock_file(*dependencies, resolution)
    text = (folder / "pyproject.toml").read_text("utf-8")
    with FileLock(f"{made}.lock"):
        if not made.exists() and resolution == "highest":
            _learn()
            # Fails where the cache lacks something; test_locks.py sees versions that are too old.
            with suppress(pytest.fail.Exception):
                _lock(text, made, "--offline")
        if not made.exists():
            _lock(text, made, "--resolution", resolution)
    return made


def _learn() -> None:
    """Let uv learn about the packages of all services, which it keeps in its cache.

    The template's pyproject.toml is valid TOML before it is rendered, and then has all of them.
    """
    text = (TEMPLATE / "pyproject.toml").read_text("utf-8")
    text = text.replace("{{ cookiecutter.project_slug }}", "all")
    made = _lock_file(text)
    with FileLock(f"{made}.lock"):
        if not made.exists():
            _lock(text, made)


def _lock(pyproject_toml: str, made: Path, *options: str) -> None:
    with TemporaryDirectory() as elsewhere:
        (Path(elsewhere) / "pyproject.toml").write_text(pyproject_toml, "utf-8")
        run("uv", "lock", "--quiet", "--python", PYTHON, *options, cwd=Path(elsewhere))
        shutil.move(Path(elsewhere) / "uv.lock", made)


def _lock_file(*parts: object) -> Path:
    made = BUILD / "locks" / f"{_digest(*parts)}.lock"
    made.parent.mkdir(parents=True, exist_ok=True)
    return made


@cache
def other_pythons() -> list[str]:
    """Return the paths of the other installed Pythons that services are made for."""
    supported = SpecifierSet(pyproject(TEMPLATE)["project"]["requires-python"])
    versions = [f"3.{minor}" for minor in range(30) if f"3.{minor}" in supported]
    # pyenv shows uv only programs that refuse to start.
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin")
    path = os.pathsep.join([*map(str, homes), os.environ["PATH"]])
    mine = _find_python(PYTHON, path)
    found = [_find_python(version, path) for version in versions]
    return [python for python in found if python not in {"", mine}]


def _find_python(version: str, path: str) -> str:
    command = ("uv", "python", "find", "--system", "--no-python-downloads", version)
    done = subprocess.run(
        command,
        env=environment(PATH=os.pathsep.join([str(SCRIPTS), path])),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def sync(folder: Path, home: Path, python: str = PYTHON, *, resolution: str = "highest") -> Path:
    """Make ``home`` hold exactly what the service declares; return its folder of programs."""
    shutil.copy(uv_lock(folder, resolution), folder / "uv.lock")
    run(
        *("uv", "sync", "--quiet", "--frozen", "--python", python),
        cwd=folder,
        UV_PROJECT_ENVIRONMENT=str(home),
    )
    return home / "bin"


@cache
def superset() -> Path:
    """Make an environment with the dependencies of all services.

    The template's pyproject.toml is valid TOML before it is rendered, and then has all of them.
    """
    project = pyproject(TEMPLATE)
    wanted = sorted({*requirements(project, dev=True)})
    until = project["tool"]["uv"]["exclude-newer"]
    home = BUILD / "environments" / f"superset-{_digest(wanted, until, PYTHON)}"
    with FileLock(f"{home}.lock"):
        if not home.is_dir():
            unfinished = home.with_name(f".{home.name}")
            run("uv", "venv", "--quiet", "--clear", "--python", PYTHON, unfinished, cwd=BUILD)
            install = ("uv", "pip", "install", "--quiet", "--exclude-newer", until)
            run(*install, "--python", unfinished, *wanted, cwd=BUILD)
            unfinished.rename(home)
    return home


@cache
def modules() -> dict[str, set[str]]:
    """Return the names that each distribution of the superset can be imported by."""
    site = next(superset().glob("lib/python*/site-packages"))
    return {
        canonicalize_name(distribution.name): {
            file.parts[0].removesuffix(".py")
            for file in distribution.files or ()
            if file.suffix == ".py" or file.name.endswith(".so")
        }
        for distribution in distributions(path=[str(site)])
    }


def importable(folder: Path, *, dev: bool) -> set[str]:
    """Return the modules that the declared dependencies of a service bring."""
    names = {
        canonicalize_name(Requirement(text).name)
        for text in requirements(pyproject(folder), dev=dev)
    }
    known = modules()
    return {module for name in names for module in known[name]}
