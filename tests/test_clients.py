"""Clients that two generators make from each distinct OpenAPI document use the running service."""

import hashlib
import shutil
import sys
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from tests.combinations import DOCUMENTS, Combination
from tests.programs import environment, run
from tests.resilience.service import PASSWORD, StartCommand, running
from tests.selection import RUNS
from tests.services import Service
from tests.trees import BUILD

SOURCES = Path(__file__).parent / "clients"
# The last day of releases, as in pyproject.toml: npm's lock would have addresses of its registry.
BEFORE = "2026-11-22"


@cache
def packages() -> Path:
    """Install the packages of TypeScript, once; return the folder."""
    declaration = (SOURCES / "typescript/package.json").read_bytes()
    folder = BUILD / "npm" / hashlib.sha256(declaration + BEFORE.encode()).hexdigest()[:12]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            unfinished = folder.with_name(f".{folder.name}")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            (unfinished / "package.json").write_bytes(declaration)
            quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
            run("npm", "install", *quiet, "--before", BEFORE, cwd=unfinished)
            unfinished.rename(folder)
    return folder


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take the smallest and the largest document, or the others."""
    smallest, *others, largest = sorted(DOCUMENTS, key=lambda it: it.size)
    run = RUNS[metafunc.config.getoption("run")]
    metafunc.parametrize("combination", run.of([smallest, largest], others), ids=str)


def test_generated_clients_use_the_service(
    combination: Combination, workplace: Path, tmp_path: Path
) -> None:
    service = Service.open(combination, workplace)
    service.run("python", "-m", "scripts.openapi")
    document = service.folder / "openapi.json"
    python = sources("python", combination, tmp_path)
    typescript = sources("typescript", combination, tmp_path)
    generate_python(document, python)
    generate_typescript(document, typescript)
    command = StartCommand(service.folder, environment(PATH=service.variables["PATH"]))
    with running(command, service.new_database()) as started:
        url = f"http://127.0.0.1:{started.port}"
        run(sys.executable, "main.py", url, cwd=python, PASSWORD=PASSWORD)
        run("node", "main.ts", url, cwd=typescript, PASSWORD=PASSWORD)


def sources(language: str, combination: Combination, folder: Path) -> Path:
    """Copy the program of a language; two of its modules depend on the service."""
    copy = shutil.copytree(SOURCES / language, folder / language)
    suffix = {"python": "py", "typescript": "ts"}[language]
    session = "session_auth" if combination["auth"] else "session_open"
    (copy / f"{session}.{suffix}").rename(copy / f"session.{suffix}")
    if combination["job_queue"] == "none":
        (copy / f"no_photos.{suffix}").rename(copy / f"photos.{suffix}")
    for other in (*copy.glob("session_*"), *copy.glob("no_photos.*")):
        other.unlink()
    return copy


def generate_python(document: Path, folder: Path) -> None:
    """Generate the package ``client``."""
    where = ("--path", document, "--output-path", folder / "client", "--meta", "none")
    run("openapi-python-client", "generate", *where, "--fail-on-warning", cwd=folder)


def generate_typescript(document: Path, folder: Path) -> None:
    """Generate ``api.ts``, and check the types of the program that uses it."""
    (folder / "node_modules").symlink_to(packages() / "node_modules")
    programs = folder / "node_modules/.bin"
    said = run(programs / "openapi-typescript", document, "--output", "api.ts", cwd=folder)
    assert "warn" not in said.lower(), said
    run(programs / "tsc", "--project", ".", cwd=folder)
