"""Programs started by the tests, in an environment that this session has not touched."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

SCRIPTS = Path(sysconfig.get_path("scripts"))
# Of this session, and none of a program's business.
PRIVATE = ("PYTEST_", "PYTHON", "VIRTUAL_ENV", "TEMPLATE_DIGEST", "TEST_DATABASE_URL")


def environment(**more: str) -> dict[str, str]:
    """Return the environment as the user set it, and more."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)
    } | more


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Run a program and return what it printed; fail the test with that if the program fails.

    The programs of this environment come first; a command may name one by its path.
    """
    path = os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**{"PATH": path, **more}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        words = " ".join(str(word) for word in command)
        pytest.fail(f"{words}: exit code {done.returncode}\n{done.stdout}", pytrace=False)
    return done.stdout
