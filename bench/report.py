"""Results as people read them: tables, a sentence, and the documents that hold them."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from bench.floors import FLOORS, QUIET_PERCENT, Floor, Verdict
from bench.load import BURST, IDEAS, SCENARIOS
from bench.plot import plot
from bench.results import Results, p99_ms, requests_per_second
from bench.services import ROOT, SERVICES, Service
from bench.suite import FAN_OUT, WARM_UP_SECONDS

README = ROOT / "README.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.svg"
SERVICE = {service.name: service for service in SERVICES}
NAMES = {
    "L1": "L1 ASGI, asyncpg",
    "L2": "L2 FastAPI, asyncpg",
    "L3": "L3 FastAPI, SQLAlchemy async",
    "async": "**the service, async**",
    "L4": "L4 FastAPI, SQLAlchemy sync",
    "sync": "**the service, sync**",
}


def documents(results: Results) -> dict[Path, str]:
    """Return the documents with these results in them."""
    return {
        README: _between_marks(README, headline(results)),
        PERFORMANCE: _between_marks(PERFORMANCE, figures(results)),
        PLOT: plot(results),
    }


def headline(results: Results) -> str:
    """Say the result in one paragraph, or that the run was too disturbed to be repeated."""
    foreign = results.foreign_cpu_percent
    if foreign > QUIET_PERCENT:
        return (
            f"Other programs took {foreign:.0f} % of the service's CPU during the last run: "
            "its figures are not repeated here."
        )
    faster = {
        (service, scenario): results.load_ratio(
            service, reference, scenario, 32, requests_per_second
        )
        for service, reference in (("async", "L3"), ("sync", "L4"))
        for scenario in ("get", "list", "create")
    }
    wait = results.load_ratio("L3", "async", "get", 128, p99_ms)
    return (
        "With PostgreSQL and all its middlewares, one worker answers "
        f"{faster['async', 'get']:.1f} times as many reads, "
        f"{faster['async', 'list']:.1f} times as many lists and "
        f"{faster['async', 'create']:.1f} times as many creates as FastAPI with SQLAlchemy the usual "
        f"way; from threads {faster['sync', 'get']:.1f}, {faster['sync', 'list']:.1f} and "
        f"{faster['sync', 'create']:.1f} times. At 128 clients the slowest of a hundred reads waits "
        f"{wait:.0f} times shorter."
    )


def figures(results: Results) -> str:
    """Return all tables."""
    parts = [conditions(results), floors(results)]
    for count in results.clients("get"):
        parts.append(f"### {count} client{'s' if count > 1 else ''}\n\n{loads(results, count)}")
    parts += [
        f"### Processes\n\n{processes(results)}",
        f"### Fan-out\n\n{fan_out(results)}",
    ]
    return "\n\n".join(parts)


def conditions(results: Results) -> str:
    """Say what was measured on."""
    machine = ", ".join(f"{name} {version}" for name, version in results.machine.items())
    return (
        f"{results.day}: {machine}. {results.repeats} repeats, {results.seconds_per_load} s for each "
        f"load after {WARM_UP_SECONDS} s of warm-up. Other programs took "
        f"{results.foreign_cpu_percent:.0f} % of the service's CPU (median)."
    )


def judge(measured: Iterable[tuple[Results, Sequence[Floor]]]) -> None:
    """Print floors; end with 1 below one of them, with 75 if one is not judged."""
    verdicts: dict[str, Verdict] = {}
    for results, wanted in measured:
        print(floors(results, wanted))
        verdicts |= {floor.what: floor.verdict(results) for floor in wanted}
    if missed := [what for what, verdict in verdicts.items() if verdict is Verdict.MISSED]:
        sys.exit(f"Below the floor: {'; '.join(missed)}.")
    if unclear := [what for what, verdict in verdicts.items() if verdict is Verdict.NOT_JUDGED]:
        print(f"Not judged, for the machine was too busy: {'; '.join(unclear)}.", file=sys.stderr)
        sys.exit(os.EX_TEMPFAIL)


def floors(results: Results, wanted: Sequence[Floor] = FLOORS) -> str:
    """Return what is wanted beside what was measured."""
    rows = [
        (
            floor.what,
            f"{'≥' if floor.is_least else '≤'} {floor.bound:g}",
            f"{floor.figure(results):.3g}",
            str(floor.verdict(results)),
        )
        for floor in wanted
    ]
    return _table(("floor", "wanted", "measured", "met"), rows)


def loads(results: Results, clients: int) -> str:
    """Return requests per second, ratio, p50 and p99 of every service."""
    rows = [
        (
            NAMES[service.name],
            *(_load(results, service, scenario, clients) for scenario in SCENARIOS),
        )
        for service in SERVICES
    ]
    return _table(("", *SCENARIOS), rows)


def _load(results: Results, service: Service, scenario: str, clients: int) -> str:
    if clients > service.most_clients:
        return "locks up"
    cell = (service.name, scenario, clients)
    rate = results.load(*cell, requests_per_second)
    ratio = ""
    if clients <= SERVICE[service.reference].most_clients:
        pair = (service.name, service.reference, scenario, clients)
        ratio = f" **× {results.load_ratio(*pair, requests_per_second):.2f}**"
    p50 = results.load(*cell, lambda load: load.p50_ms)
    p99 = results.load(*cell, p99_ms)
    p99_digits = 1 if p99 < 10 else 0
    cpu = results.load(*cell, lambda load: load.cpu_us_per_request)
    return f"{rate:,.0f}/s{ratio}, {p50:.1f} / {p99:.{p99_digits}f} ms, {cpu:.0f} µs" + _errors(
        results, *cell
    )


def processes(results: Results) -> str:
    """Return what a process takes apart from its load."""
    rows = [
        (
            NAMES[service.name],
            f"{median(one.seconds for one in results.starts_of(service.name)):.2f}",
            f"{median(results.rss_mb(service.name)):.0f}",
            str(results.unanswered(service.name)),
        )
        for service in SERVICES
    ]
    return _table(("", "start to first answer, s", "memory, MB", f"lost of {BURST} at once"), rows)


def fan_out(results: Results) -> str:
    """Return how sequential and concurrent calls compare."""
    rows = [
        (
            name,
            str(clients),
            f"{results.load(FAN_OUT, name, clients, requests_per_second):.1f}"
            + _errors(results, FAN_OUT, name, clients),
            f"{results.load(FAN_OUT, name, clients, lambda load: load.p50_ms):.0f}",
            f"{results.load(FAN_OUT, name, clients, p99_ms):.0f}",
            f"{results.load(FAN_OUT, name, clients, lambda load: load.app_cpu_percent):.0f}",
        )
        for name in IDEAS
        for clients in results.clients(name)
    ]
    return _table(("calls", "clients", "requests/s", "p50 ms", "p99 ms", "CPU %"), rows)


def _errors(results: Results, service: str, scenario: str, clients: int) -> str:
    """Say how many requests failed in all repeats: the figures beside it are worth nothing."""
    number = sum(load.errors for load in results.cell(service, scenario, clients))
    return f" **{number} errors**" if number else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    lines.insert(1, "|" + "---|" * (lines[0].count("|") - 1))
    return "\n".join(lines)


def _between_marks(document: Path, text: str) -> str:
    return re.sub(
        r"(?<=<!-- bench -->\n).*?(?=\n<!-- /bench -->)",
        lambda _: text,
        document.read_text("utf-8"),
        count=1,
        flags=re.DOTALL,
    )
