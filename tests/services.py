"""Generated services at work: a copy to run in, and an environment with what it declares."""

import filecmp
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

from tests.combinations import Combination
from tests.environments import PYTHON, sync
from tests.programs import SCRIPTS, run
from tests.servers import NEWEST, postgresql
from tests.trees import BUILD, tree

# Which of its own tests a service runs.
SLOW = "slow"
QUICK = f"not {SLOW}"
NEW = ""  # all if its OpenAPI document is a new one, otherwise the quick ones of the team's part


@cache
def _folder_of_uv() -> Path:
    """Part uv from the other programs here, of which a service must not miss its own."""
    folder = BUILD / "uv"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "uv"
    with FileLock(folder / ".lock"):
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(SCRIPTS / "uv")
    return folder


def _mirror(source: Path, copy: Path) -> None:
    """Make a copy what its source is, but leave what is the same, and with it the byte code."""
    for path in sorted(copy.rglob("*"), reverse=True):
        if path.name == "__pycache__" or path.parent.name == "__pycache__":
            continue
        original = source / path.relative_to(copy)
        if path.is_dir() and not path.is_symlink():
            if not original.is_dir():
                shutil.rmtree(path)
        elif not original.is_file() or not filecmp.cmp(original, path, shallow=False):
            path.unlink()
    for original in (source, *sorted(source.rglob("*"))):
        path = copy / original.relative_to(source)
        if original.is_dir():
            path.mkdir(parents=True, exist_ok=True)
        elif not path.exists():
            shutil.copy(original, path)  # with a new time, which tells Python to compile it


@dataclass(frozen=True)
class Service:
    """A copy of a generated service that may be run and changed."""

    combination: Combination
    folder: Path
    programs: Path
    postgresql_version: int = NEWEST

    @classmethod
    def open(
        cls,
        combination: Combination,
        workplace: Path,
        python: str = PYTHON,
        *,
        resolution: str = "highest",
        postgresql_version: int = NEWEST,
    ) -> "Service":
        """Put it in the worker's one workplace, in place of the one before."""
        source = tree(combination)
        folder = workplace / source.name
        _mirror(source, folder)
        home = workplace / Path(python).name
        programs = sync(folder, home, python, resolution=resolution)
        return cls(combination, folder, programs, postgresql_version)

    @property
    def variables(self) -> dict[str, str]:
        """What it finds in the environment: its programs and, for its tests, the server."""
        path = [str(self.programs), str(_folder_of_uv()), os.environ["PATH"]]
        variables = {"PATH": os.pathsep.join(path)}
        if self.combination["database"] == "postgresql":
            variables["TEST_DATABASE_URL"] = postgresql(self.postgresql_version).get_uri()
        return variables

    def run(self, *command: str | Path, **more: str) -> str:
        """Run a program of its environment in its folder."""
        return run(*command, cwd=self.folder, **self.variables | more)

    def new_database(self) -> str:
        """Return the URL of an empty database."""
        name = f"life_{uuid4().hex}"
        if self.combination["database"] != "postgresql":
            return f"sqlite:///{self.folder / name}.db"
        server = postgresql(self.postgresql_version)
        server.psql(f"CREATE DATABASE {name};")
        return server.get_uri(database=name)
