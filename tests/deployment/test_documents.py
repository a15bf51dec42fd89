"""The commands of docs/deploying.md and of the README do what they say."""

import os
import re
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.combinations import DEFAULTS
from tests.deployment.compose import Project
from tests.deployment.engine import IMAGE_NAME, Engine, docker_path
from tests.deployment.images import BUILD_OPTIONS
from tests.programs import run
from tests.releases import git

PROGRAMS = Path(__file__).parent / "programs"
BLOCK = re.compile(r"^```shell\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = "backups/20261201T060000Z"


@pytest.fixture
def project(engine: Engine, tmp_path: Path) -> Generator[Project]:
    """Yield a service in a clone, as on a server."""
    project = Project.generate(engine, DEFAULTS, tmp_path / "origin", "documents")
    origin, project.folder = project.folder, tmp_path / "recipe-api"
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message=Begin")
    run("git", "clone", "--quiet", str(origin), str(project.folder), cwd=tmp_path)
    try:
        yield project
    finally:
        project.remove()


def commands(project: Project, name: str) -> list[str]:
    """Return the blocks of commands of a document."""
    return BLOCK.findall((project.folder / name).read_text("utf-8"))


def test_commands_of_the_document_work(project: Project) -> None:
    variables = project.variables | {
        "PATH": os.pathsep.join([str(PROGRAMS), docker_path()]),
        "BUILD_OPTIONS": BUILD_OPTIONS,
        "ENVIRONMENT": "production",
    }
    blocks = commands(project, "docs/deploying.md")
    assert len(blocks) >= 4
    printed: list[str] = []
    for block in blocks:
        made = sorted(path.name for path in project.folder.glob("backups/*"))
        script = block.replace("localhost:8001", f"localhost:{project.port}")
        script = script.replace(EXAMPLE, f"backups/{made[-1]}" if made else EXAMPLE)
        command = ("bash", "-euo", "pipefail", "-c", script)
        with IMAGE_NAME if "make image" in block else nullcontext():
            printed.append(project.engine.run(*command, cwd=project.folder, **variables))
    assert any('{"status":"ok"}' in text for text in printed)
    assert any("Restored: backups/" in text for text in printed)
    of_readme = [block for block in commands(project, "README.md") if "docker compose" in block]
    assert of_readme and all(line in "".join(blocks) for line in of_readme[0].splitlines()[:1])
