"""Measure, write results and documents, and fail below the floors: ``make bench``.

The status is 1 below a floor, and 75 where the machine was too busy to judge one.
"""

import os
import sys

from bench.floors import FLOORS, Verdict
from bench.processes import LOAD_CPU
from bench.report import documents, floors
from bench.results import Results
from bench.suite import check_machine, run

SHORT = ((32, 128), 3, 2)
FULL = ((1, 32, 128, 256), 5, 3)


def main() -> None:
    """Run the short suite, or with ``--full`` the long one; ``--report`` tells the stored results."""
    match sys.argv[1:]:
        case []:
            results = measure(*SHORT)
        case ["--full"]:
            results = measure(*FULL)
        case ["--report"]:
            results = Results.read()
        case _:
            sys.exit("usage: python -m bench [--full | --report]")
    for document, text in documents(results).items():
        document.write_text(text, encoding="utf-8")
    print(floors(results))
    verdicts = {floor.what: floor.verdict(results) for floor in FLOORS}
    if missed := [what for what, verdict in verdicts.items() if verdict is Verdict.MISSED]:
        sys.exit(f"Below the floor: {'; '.join(missed)}.")
    if unclear := [what for what, verdict in verdicts.items() if verdict is Verdict.NOT_JUDGED]:
        print(f"Not judged, for the machine was too busy: {'; '.join(unclear)}.", file=sys.stderr)
        sys.exit(os.EX_TEMPFAIL)


def measure(clients: tuple[int, ...], repeats: int, seconds: int) -> Results:
    """Run a suite and store what it measured."""
    check_machine()
    os.sched_setaffinity(0, {LOAD_CPU})
    results = run(clients, repeats, seconds)
    results.write()
    return results


if __name__ == "__main__":
    main()
