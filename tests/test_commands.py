"""The commands in AGENTS.md of a service do their work, one after another as they are listed."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import httpx2
import pytest
from pip._internal.models.index import PyPI

from tests.agents import statements
from tests.combinations import CROSSED, DEFAULTS, Combination
from tests.ports import free_port
from tests.programs import SCRIPTS, environment
from tests.releases import edit, git
from tests.services import Service
from tests.trees import texts, tree

SECONDS = 60
# test_run.py runs the tests: here it is enough that the command finds them.
FIND_TESTS = {"PYTEST_ADDOPTS": "--collect-only -q"}
WORKERS = """
from app.core.config import load_settings
from app.kit.db.engine import with_sync_connection

query = "SELECT count(*) FROM procrastinate_workers"
url = load_settings().database_url
with_sync_connection(url, lambda connection: print(connection.exec_driver_sql(query).scalar()))
"""
LARGEST = DEFAULTS.but(auth=True, rate_limit=True, job_queue="in_process")
# Together they have every command of every service.
RUN = [
    LARGEST,
    DEFAULTS.but(package_manager="poetry"),  # with few packages: poetry installs and locks them
    LARGEST.but(database="postgresql", job_queue="procrastinate"),
]
Variables = dict[str, str]


def commands(combination: Combination) -> tuple[str, ...]:
    """Return the commands of a service's guide, each once, in its order."""
    return tuple(dict.fromkeys(statements(texts(combination)["AGENTS.md"]).commands))


def test_every_command_of_every_service_is_run() -> None:
    said = {command for combination in CROSSED for command in commands(combination)}
    assert said == {command for combination in RUN for command in commands(combination)}


@pytest.mark.parametrize("combination", RUN, ids=str)
def test_commands_of_the_guide_do_their_work(
    combination: Combination, workplace: Path, tmp_path: Path
) -> None:
    service = _open(combination, workplace, tmp_path)
    variables = service.variables | _variables(service) | FIND_TESTS
    edit(service.folder / "app/models/user.py", "String(255)", "String(300)")
    git(service.folder, "init", "--quiet")
    try:
        for command in commands(combination):
            _commit(service.folder)
            _run(service, command, variables)
    finally:
        if combination["database"] == "postgresql":
            service.run("make", "db-stop", **variables)
    (revision,) = (service.folder / "migrations/versions").glob("*_add_tags.py")
    assert "String(length=300)" in revision.read_text("utf-8")
    assert not (service.folder / "app/models/recipe.py").exists()


def _open(combination: Combination, workplace: Path, folder: Path) -> Service:
    """Let poetry make an environment of its own; what uv needs is there."""
    if combination["package_manager"] == "uv":
        return Service.open(combination, workplace)
    copy = shutil.copytree(tree(combination), folder / "service")
    return Service(combination, copy, copy / ".venv/bin")


def _variables(service: Service) -> Variables:
    return {
        "PATH": os.pathsep.join([service.variables["PATH"], str(SCRIPTS)]),  # for poetry
        "PORT": str(free_port()),
        "POETRY_PYPI_MIRROR_URL": PyPI.simple_url,
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "UV_PROJECT_ENVIRONMENT": str(service.programs.parent),
    }


def _commit(folder: Path) -> None:
    """Commit what the last command wrote: some compare with the commit, or want no changes."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=Go on")


def _run(service: Service, command: str, variables: Variables) -> None:
    if command in SERVING:
        _serve(service, command, variables)
    else:
        service.run(*shlex.split(command), **variables)


def _serve(service: Service, command: str, variables: Variables) -> None:
    """Start what serves until Ctrl-C, wait until it does, and press Ctrl-C."""
    process = subprocess.Popen(
        shlex.split(command),
        cwd=service.folder,
        env=environment(**variables),
        start_new_session=True,
    )
    try:
        give_up_at = monotonic() + SECONDS
        while not SERVING[command](service, variables):
            assert process.poll() is None, f"{command} has ended"
            assert monotonic() < give_up_at, f"{command} does not serve"
            sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _is_ready(_: Service, variables: Variables) -> bool:
    url = f"http://127.0.0.1:{variables['PORT']}/health/ready"
    try:
        return httpx2.get(url, timeout=SECONDS, trust_env=False).is_success
    except httpx2.TransportError:
        return False


def _has_workers(service: Service, variables: Variables) -> bool:
    return service.run("python", "-c", WORKERS, **variables).strip() != "0"


SERVING: dict[str, Callable[[Service, Variables], bool]] = {
    "make run": _is_ready,
    "make worker": _has_workers,
}
