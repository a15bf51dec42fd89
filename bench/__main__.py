"""Measure, write results and documents, and fail below the floors: ``make bench``.

The status is 1 below a floor, and 75 where the machine was too busy to judge one.
"""

import os
import sys

from bench import telemetry
from bench.floors import FLOORS
from bench.processes import LOAD_CPU
from bench.report import documents, judge
from bench.results import Results
from bench.suite import check_machine, run

SHORT = ((32, 128), 3, 2)
FULL = ((1, 32, 128, 256), 5, 3)


def main() -> None:
    """Run the short suite, or with ``--full`` the long one; ``--report`` tells the stored results."""
    costs = []
    match sys.argv[1:]:
        case []:
            results = measure(*SHORT)
            costs = [(telemetry.measure(), telemetry.COSTS)]
        case ["--full"]:
            results = measure(*FULL)
            costs = [(telemetry.measure(), telemetry.COSTS)]
        case ["--report"]:
            results = Results.read()
        case _:
            sys.exit("usage: python -m bench [--full | --report]")
    for document, text in documents(results).items():
        document.write_text(text, encoding="utf-8")
    judge([(results, FLOORS), *costs])


def measure(clients: tuple[int, ...], repeats: int, seconds: int) -> Results:
    """Run a suite and store what it measured."""
    check_machine()
    os.sched_setaffinity(0, {LOAD_CPU})
    results = run(clients, repeats, seconds)
    results.write()
    return results


if __name__ == "__main__":
    main()
