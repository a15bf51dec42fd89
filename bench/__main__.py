"""Measure, write results and documents, and fail below the floors: ``make bench``."""

import os
import sys

from bench.floors import FLOORS
from bench.processes import LOAD_CPU
from bench.report import documents, floors
from bench.suite import check_machine, run

SHORT = ((32, 128), 3, 2)
FULL = ((1, 32, 128, 256), 5, 3)


def main() -> None:
    """Run the short suite, or with ``--full`` the long one."""
    if sys.argv[1:] not in ([], ["--full"]):
        sys.exit("usage: python -m bench [--full]")
    check_machine()
    os.sched_setaffinity(0, {LOAD_CPU})
    results = run(*(FULL if sys.argv[1:] else SHORT))
    results.write()
    for document, text in documents(results).items():
        document.write_text(text, encoding="utf-8")
    print(floors(results))
    if missed := [floor.what for floor in FLOORS if not floor.is_met(results)]:
        sys.exit(f"Below the floor: {'; '.join(missed)}.")


if __name__ == "__main__":
    main()
