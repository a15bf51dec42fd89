"""The development container opens, and the service passes its checks in it."""

import json
import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.combinations import DEFAULTS, Combination
from tests.deployment.engine import Engine
from tests.deployment.runner import QUICK, new_home
from tests.deployment.standins import PYTHON, UV
from tests.environments import uv_lock
from tests.programs import run
from tests.trees import BUILD, tree

CLI = "@devcontainers/cli@0.89.0"
CONFIGURATION = ".devcontainer/devcontainer.json"
DEVELOPER = 1000
WORKSPACES = BUILD / "workspaces"
UV_SERVICE = DEFAULTS.but(database="postgresql")


@pytest.fixture(scope="module")
def program() -> Path:
    """Install the reference implementation of development containers, once."""
    folder = BUILD / "devcontainers"
    program = folder / "node_modules/.bin/devcontainer"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        options = ("--silent", "--no-audit", "--no-fund", "--prefix", folder)
        run("npm", "install", *options, CLI, cwd=folder)
    return program


class Workspace:
    """A folder of code that is opened in its development container."""

    def __init__(self, engine: Engine, program: Path, combination: Combination) -> None:
        self.engine = engine
        self.program = program
        self.folder = new_home(WORKSPACES) / "recipe-api"
        shutil.copytree(tree(combination), self.folder)
        if combination["package_manager"] == "uv":
            shutil.copy(uv_lock(self.folder), self.folder / "uv.lock")
        self._use_standins(combination)
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, DEVELOPER, DEVELOPER)

    def _use_standins(self, combination: Combination) -> None:
        """Build on images that exist here, and with the network of this machine."""
        file = self.folder / CONFIGURATION
        configuration = json.loads(file.read_text("utf-8"))
        args = {"PYTHON_IMAGE": PYTHON}
        if combination["package_manager"] == "uv":
            args["UV_IMAGE"] = UV
        configuration["build"] |= {"args": args, "options": ["--network=host"]}
        configuration["runArgs"] = ["--network=host"]
        file.write_text(json.dumps(configuration), "utf-8")

    def run(self, command: str, *words: str) -> str:
        """Run a command of the program on this folder; return what it printed."""
        options = ("--workspace-folder", self.folder, "--docker-path", "/usr/bin/docker")
        return self.engine.run(self.program, command, *options, *words, cwd=self.folder)

    def execute(self, *words: str) -> str:
        """Run a command in the container."""
        return self.run("exec", "--remote-env", f"PYTEST_ADDOPTS={QUICK}", *words)

    def remove(self) -> None:
        """Remove the container and the folder."""
        label = f"label=devcontainer.local_folder={self.folder}"
        for container in self.engine.docker("ps", "--all", "--quiet", "--filter", label).split():
            self.engine.docker("rm", "--force", "--volumes", container)
        shutil.rmtree(self.folder.parent)


@pytest.fixture
def workspace(
    request: pytest.FixtureRequest, engine: Engine, program: Path
) -> Generator[Workspace]:
    """Yield a workspace; remove its container at the end."""
    workspace = Workspace(engine, program, request.param)
    try:
        yield workspace
    finally:
        workspace.remove()


@pytest.mark.parametrize("workspace", [UV_SERVICE], indirect=True, ids=str)
def test_service_passes_its_checks_in_the_container(workspace: Workspace) -> None:
    """`make setup` runs when it is created; the quick tests are enough here."""
    opened = workspace.run("up")
    assert '"outcome":"success"' in opened
    assert workspace.execute("id", "--user").strip() == str(DEVELOPER)
    checked = workspace.execute("make", "check")
    assert "All checks passed!" in checked
    assert " passed" in checked
