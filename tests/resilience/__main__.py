"""Check one service: ``python -m tests.resilience FOLDER``; exit with 1 if a check fails.

The folder has the service and, in ``.venv``, what it needs. Its ``.env`` and the developer's
variables do not count; no request leaves this machine. It takes about two minutes.
"""

import os
import sys
from pathlib import Path

from tests.resilience.check import table
from tests.resilience.run import run_checks
from tests.resilience.service import StartCommand


def main() -> None:
    """Run all checks and print the table."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.resilience FOLDER")
    folder = Path(sys.argv[1]).resolve()
    path = os.pathsep.join([str(folder / ".venv" / "bin"), os.environ["PATH"]])
    checks = run_checks(StartCommand(folder, {"PATH": path}))
    print(f"\n{table(checks)}")
    sys.exit(not all(check.passed for check in checks))


if __name__ == "__main__":
    main()
