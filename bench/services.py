"""The services that are compared: two generated ones, and four references in one environment."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"
REFERENCES = ROOT / "bench" / "references"
PYTHON = BUILD / "environment" / "bin" / "python"
TEMPLATE = "{{cookiecutter.project_slug}}"


@dataclass(frozen=True)
class Service:
    """Something that serves recipes, and what it is compared with."""

    name: str
    folder: Path
    reference: str
    is_generated: bool = False
    # With more than that it locks up.
    most_clients: int = 1000

    def command(self, port: int) -> list[str]:
        """Say how to start it."""
        if self.is_generated:
            return [str(PYTHON), "-m", "app.serve"]
        return uvicorn(f"{self.name.lower()}:app", port)


ASYNC = Service("async", BUILD / "async-service", "L3", is_generated=True)
SYNC = Service("sync", BUILD / "sync-service", "L4", is_generated=True)
# Those of one row get each load in turn, so that what they are compared by lies seconds apart.
TURNS = [
    [Service("L1", REFERENCES, "L3")],
    [Service("L2", REFERENCES, "L3")],
    [Service("L3", REFERENCES, "L3"), ASYNC],
    # Its 40 threads wait for connections, whose holders wait for a thread to answer in.
    [Service("L4", REFERENCES, "L4", most_clients=32), SYNC],
]
SERVICES = [service for turn in TURNS for service in turn]


def uvicorn(app: str, port: int) -> list[str]:
    """Say how to serve a reference: as fast as uvicorn can, without a log."""
    options = ("--port", str(port), "--no-access-log", "--log-level", "warning")
    return [str(PYTHON), "-m", "uvicorn", app, *options]


def generate(services: Mapping[Path, Mapping[str, str | bool]]) -> None:
    """Generate services in these folders and make the environment that they and references run in."""
    shutil.rmtree(BUILD, ignore_errors=True)
    for folder, answers in services.items():
        cookiecutter(
            str(ROOT),
            no_input=True,
            default_config=True,
            extra_context={"project_slug": folder.name, **answers},
            output_dir=str(folder.parent),
        )
    projects = [tomllib.loads((one / "pyproject.toml").read_text("utf-8")) for one in services]
    wanted = sorted({name for one in projects for name in one["project"]["dependencies"]})
    _uv("venv", "--clear", "--python", sys.executable, str(PYTHON.parents[1]))
    until = projects[0]["tool"]["uv"]["exclude-newer"]
    install = ("pip", "install", "--python", str(PYTHON), "--exclude-newer", until)
    _uv(*install, "--compile-bytecode", "orjson", *wanted)


def installed(*names: str) -> dict[str, str]:
    """Return the versions of what is measured."""
    listed = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "list", "--python", str(PYTHON), "--format", "json"],
        capture_output=True,
        check=True,
    )
    return {
        one["name"]: one["version"] for one in json.loads(listed.stdout) if one["name"] in names
    }


def two_file_template(folder: Path) -> Path:
    """Write a template with the same questions and hooks as ours, and two files."""
    questions = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
    questions["_only_with"] = {}
    (folder / "cookiecutter.json").write_text(json.dumps(questions), encoding="utf-8")
    shutil.copytree(ROOT / "hooks", folder / "hooks")
    (folder / TEMPLATE).mkdir()
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / TEMPLATE / name, folder / TEMPLATE / name)
    return folder


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], check=True)
