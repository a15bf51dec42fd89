"""A machine that runs the steps of a pipeline in a clean checkout, as the systems' own machines do.

The commands are those of the rendered files. What they meet instead of the real thing: actions of
GitHub (`ACTIONS`), programs that install packages of the system (tests/deployment/machine), and a
database of vulnerabilities on this machine.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from pip._internal.models.index import PyPI

from tests.combinations import DEFAULTS, Combination
from tests.deployment.engine import IMAGE_NAME, Engine
from tests.deployment.images import BUILD_OPTIONS
from tests.deployment.osv import Database
from tests.deployment.standins import SERVERS
from tests.environments import PYTHON, superset, uv_lock
from tests.pipelines import GITHUB, GITLAB, Step, github_jobs, github_steps, gitlab_jobs
from tests.ports import free_port
from tests.programs import SCRIPTS, environment, run
from tests.trees import BUILD, tree

MACHINES = BUILD / "machines"
STANDINS = Path(__file__).parent / "machine"
CALLS = "calls"
EXPRESSION = re.compile(r"\$\{\{ ([\w.]+) \}\}")
JOB_SECONDS = 300
# The quick tests are enough, and few of them in most services: test_run.py runs all.
QUICK = '-m "not slow"'
FEW = f"{QUICK} tests/kit/db tests/test_users.py"
# Variables by which programs of this machine find the index, and trust it.
NETWORK = re.compile("CERT|SSL|CA_BUNDLE|PROXY", re.IGNORECASE)
# Known to the steps; a real machine has them from its settings.
VALUES = {
    "github.token": "token-of-github",
    "secrets.DEPLOY_KEY": "-----BEGIN OPENSSH PRIVATE KEY-----\nkey\n-----END OPENSSH PRIVATE KEY-----",
    "secrets.KUBE_CONFIG": "apiVersion: v1\nkind: Config",
    "vars.DEPLOY_ENVIRONMENT": "production",
    "vars.DEPLOY_KNOWN_HOSTS": "example.com ssh-ed25519 AAAA",
}
LATE = {"deploy", "push"}


def new_home(parent: Path = MACHINES) -> Path:
    """Make a folder that all users may enter: under root, PostgreSQL runs as another one."""
    parent.mkdir(exist_ok=True)
    home = Path(mkdtemp(dir=parent, prefix="machine-"))
    home.chmod(0o755)
    return home


@dataclass
class Checkout:
    """A clean checkout of a service, the home of the user there, and what the steps printed."""

    engine: Engine
    combination: Combination
    home: Path
    database: Database
    variables: dict[str, str] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    @property
    def folder(self) -> Path:
        """The checkout."""
        return self.home / "recipe-api"

    @property
    def programs(self) -> Path:
        """What the machine has, before others on the path."""
        return self.home / "programs"

    @property
    def commit(self) -> str:
        """The name of the commit."""
        return run("git", "rev-parse", "HEAD", cwd=self.folder).strip()

    @property
    def calls(self) -> list[str]:
        """How programs were called that only stand in."""
        file = self.home / CALLS
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def containers(self, service: str) -> list[dict[str, Any]]:
        """Return the containers of a service of Compose that was deployed from here."""
        label = f"label=com.docker.compose.project={self.project}"
        wanted = ("--filter", label, "--filter", f"label=com.docker.compose.service={service}")
        ids = self.engine.docker("ps", "--quiet", *wanted).split()
        return [self.engine.inspect(it) for it in ids]

    def take_down(self) -> None:
        """Remove what was deployed from here, with its data."""
        if (self.folder / "compose.yaml").exists():
            self.attempt("docker compose down --volumes")

    @property
    def project(self) -> str:
        """The name that Compose gives to what it runs here."""
        return self.home.name.replace("_", "-").lower()

    @classmethod
    def new(cls, engine: Engine, combination: Combination, database: Database) -> "Checkout":
        """Commit a service, with the lock that its owner has, and clone it."""
        home = new_home()
        source = home / "source"
        shutil.copytree(tree(combination), source)
        if combination["package_manager"] == "uv":
            shutil.copy(uv_lock(source), source / "uv.lock")
        # As `make setup` writes it for the owner, who commits it.
        run(superset() / "bin/python", "-m", "scripts.openapi", cwd=source)
        for folder in source.rglob("__pycache__"):
            shutil.rmtree(folder)
        run("git", "init", "--quiet", "--initial-branch", "main", cwd=source)
        run("git", "add", "--all", cwd=source)
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        run("git", *author, "commit", "--quiet", "--message", "Begin", cwd=source)
        run("git", "clone", "--quiet", source, home / "recipe-api", cwd=home)
        checkout = cls(engine, combination, home, database)
        checkout._equip()
        return checkout

    def again(self) -> "Checkout":
        """Return a checkout on another machine: no job finds what another left."""
        home = new_home()
        run("git", "clone", "--quiet", self.home / "source", home / "recipe-api", cwd=home)
        checkout = Checkout(self.engine, self.combination, home, self.database)
        checkout._equip()
        return checkout

    def _equip(self) -> None:
        self.programs.mkdir()
        for name in ("apk", "apt-get", "kubectl", "sudo"):
            (self.programs / name).symlink_to(STANDINS / "system")
        (self.programs / "docker").symlink_to(STANDINS / "docker")
        if self.combination["package_manager"] == "poetry":
            (self.programs / "poetry").symlink_to(SCRIPTS / "poetry")
            for name in ("pip", "pipx"):
                (self.programs / name).symlink_to(STANDINS / "installer")

    def environment(self) -> dict[str, str]:
        """Return what a step finds: nothing of this session but the way to the index."""
        path = [str(self.programs), str(self.home / "python/bin"), "/usr/local/bin:/usr/bin:/bin"]
        return (
            {name: value for name, value in environment().items() if NETWORK.search(name)}
            | {
                "AUDIT_FLAGS": self.database.flags(self.combination["package_manager"]),
                "BUILD_OPTIONS": _build_options(self.combination),
                "CALLS": str(self.home / CALLS),
                "CI": "true",
                "COMPOSE_PROJECT_NAME": self.project,
                "DOCKER_BUILDKIT": "1",
                "DOCKER_HOST": self.engine.variables["DOCKER_HOST"],
                "HOME": str(self.home),
                "LANG": "C.UTF-8",
                "PATH": os.pathsep.join(path),
                "PIPX": str(SCRIPTS / "pipx"),
                "PIPX_DEFAULT_BACKEND": "uv",
                "PIPX_HOME": str(BUILD / "pipx"),
                "PIP_CACHE_DIR": str(BUILD / "pip"),
                "POETRY_PYPI_MIRROR_URL": PyPI.simple_url,
                "PYTEST_ADDOPTS": QUICK if self.combination == DEFAULTS else FEW,
                "PORT": str(self.port),
                "POSTGRES_IMAGE": SERVERS,
                "REDIS_IMAGE": SERVERS,
                "UV_CACHE_DIR": _cache_of_uv(),
                "UV_OF_TESTS": str(SCRIPTS / "uv"),
                "UV_PYTHON": PYTHON,
            }
            | self.variables
        )

    def attempt(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run commands as both systems do: the first that fails ends them."""
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment() | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=JOB_SECONDS,
            check=False,
        )

    def run(self, script: str, **more: str) -> None:
        """Run commands; fail the test with what they printed if one fails."""
        done = self.attempt(script, **more)
        self.printed.append(done.stdout)
        if done.returncode:
            pytest.fail(f"{script}: exit code {done.returncode}\n{done.stdout}", pytrace=False)


def _build_options(combination: Combination) -> str:
    """Return the stand-ins for base images; the Dockerfile for Poetry does not know that of uv."""
    if combination["package_manager"] == "uv":
        return BUILD_OPTIONS
    return BUILD_OPTIONS.partition(" --build-arg UV_IMAGE")[0]


@cache
def _cache_of_uv() -> str:
    return run("uv", "cache", "dir", cwd=BUILD).strip()


def github(checkout: Checkout) -> list[Checkout]:
    """Run the jobs of GitHub's workflow, each on a machine of its own; return the machines."""
    machines = []
    for name, job in github_jobs((checkout.folder / GITHUB).read_text("utf-8")).items():
        machine = checkout if name == "check" else checkout.again()
        machine.variables |= {
            "GITHUB_ACTOR": "ada",
            "GITHUB_REPOSITORY": "Team/Recipe-API",
            "GITHUB_SHA": machine.commit,
            "POETRY_CACHE_DIR": str(BUILD / "poetry"),
            "POETRY_VIRTUALENVS_PATH": str(machine.home / "environments"),
        }
        with IMAGE_NAME if name in LATE else nullcontext():
            for step in github_steps(job):
                _take(machine, step)
        machines.append(machine)
    return machines


def _take(machine: Checkout, step: Step) -> None:
    """Do what a step says."""
    values = VALUES | {"vars.DEPLOY_HOST": machine.engine.variables["DOCKER_HOST"]}
    variables = {
        name: EXPRESSION.sub(lambda it: values[it[1]], str(value))
        for name, value in step.variables.items()
    }
    if step.uses:
        ACTIONS[step.uses.partition("@")[0]](machine, step.options)
    else:
        with IMAGE_NAME if "make image" in step.run else nullcontext():
            machine.run(step.run, **variables)


def _check_out(_: Checkout, options: dict[str, Any]) -> None:
    assert options == {"persist-credentials": False}


def _set_up_uv(machine: Checkout, options: dict[str, Any]) -> None:
    """Install the release that was asked for; the Python is that of this session."""
    assert options.keys() == {"version", "python-version", "enable-cache"}
    target = BUILD / f"uv-{options['version']}"
    if not target.exists():
        unfinished = target.with_name(f".{target.name}")
        wanted = f"uv=={options['version']}"
        run("uv", "pip", "install", "--quiet", "--target", unfinished, wanted, cwd=BUILD)
        unfinished.rename(target)
    (machine.programs / "uv").symlink_to(target / "bin/uv")


def _set_up_python(_: Checkout, options: dict[str, Any]) -> None:
    assert options.keys() == {"python-version", "cache"}


def _upload(machine: Checkout, options: dict[str, Any]) -> None:
    assert options.keys() == {"name", "path", "if-no-files-found"}
    assert (machine.folder / options["path"]).is_file()


ACTIONS: dict[str, Callable[[Checkout, dict[str, Any]], None]] = {
    "actions/checkout": _check_out,
    "actions/setup-python": _set_up_python,
    "actions/upload-artifact": _upload,
    "astral-sh/setup-uv": _set_up_uv,
}


def gitlab(checkout: Checkout) -> list[Checkout]:
    """Run the jobs of a commit in GitLab, each on a machine of its own; return the machines."""
    machines = []
    jobs = gitlab_jobs((checkout.folder / GITLAB).read_text("utf-8"))
    for name, job in jobs.items():
        if "schedule" in str(job.get("rules")):
            continue  # Renovate's image cannot be had here
        machine = checkout if name == "check" else checkout.again()
        machine.variables |= _predefined(machine)
        machine.variables |= {
            key: value.replace("$CI_PROJECT_DIR", str(machine.folder))
            for key, value in job.get("variables", {}).items()
        }
        if "cache" in job:
            _restore_cache(machine, job["cache"])
            run("uv", "venv", "--quiet", "--seed", machine.home / "python", cwd=machine.home)
        script = "\n".join([*job.get("before_script", []), *job["script"]])
        with IMAGE_NAME if name in LATE or "make image" in script else nullcontext():
            machine.run(script)
        for path in job.get("artifacts", {}).get("paths", []):
            assert (machine.folder / path).is_file()
        machines.append(machine)
    return machines


def _predefined(machine: Checkout) -> dict[str, str]:
    """Return the variables that GitLab and the owner of the project set."""
    return {
        "CI_COMMIT_SHA": machine.commit,
        "CI_PROJECT_DIR": str(machine.folder),
        "CI_REGISTRY": "registry.example.com",
        "CI_REGISTRY_IMAGE": "registry.example.com/team/recipe-api",
        "CI_REGISTRY_PASSWORD": "password-of-registry",
        "CI_REGISTRY_USER": "ada",
        "DEPLOY_HOST": machine.engine.variables["DOCKER_HOST"],
        **{name.partition(".")[2]: value for name, value in VALUES.items()},
    }


def _restore_cache(machine: Checkout, cache: dict[str, Any]) -> None:
    """Give the job what earlier ones have kept."""
    (key,) = cache["key"]["files"]
    assert (machine.folder / key).is_file()
    (path,) = cache["paths"]
    folder = machine.folder / path
    folder.mkdir()
    for name, kept in {"uv": Path(_cache_of_uv()), "poetry": BUILD / "poetry"}.items():
        kept.mkdir(exist_ok=True)
        (folder / name).symlink_to(kept)


SYSTEMS = {"github": github, "gitlab": gitlab}
