"""What a run must reach."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.load import BURST
from bench.results import Results, p99_ms, requests_per_second
from bench.suite import FAN_OUT

# Three requests that take 100 ms, at the same time: ten answers a second for each client.
POSSIBLE_PER_CLIENT = 10


@dataclass(frozen=True)
class Floor:
    """A bound of one figure."""

    what: str
    bound: float
    figure: Callable[[Results], float]
    is_least: bool = True

    def is_met(self, results: Results) -> bool:
        """Tell whether the figure is on the right side of the bound."""
        figure = self.figure(results)
        return figure >= self.bound if self.is_least else figure <= self.bound


def throughput(service: str, reference: str, scenario: str, bound: float) -> Floor:
    """Bound the requests per second at 32 clients, in multiples of the reference's."""
    return Floor(
        f"{service}: {scenario}, 32 clients, × {reference}",
        bound,
        lambda results: results.load_ratio(service, reference, scenario, 32, requests_per_second),
    )


def patience(service: str, reference: str, scenario: str, bound: float) -> Floor:
    """Bound the 99th percentile at 128 clients, in multiples of the reference's."""
    return Floor(
        f"{service}: p99 of {scenario}, 128 clients, × {reference}",
        bound,
        lambda results: results.load_ratio(service, reference, scenario, 128, p99_ms),
        is_least=False,
    )


def of_process(what: str, bound: float, values: Callable[[Results, str], list[float]]) -> Floor:
    """Bound a figure of the process, in multiples of L3's, which was measured beside it."""

    def ratio(results: Results) -> float:
        pairs = zip(values(results, "async"), values(results, "L3"), strict=True)
        return median(one / other for one, other in pairs)

    return Floor(f"async: {what}, × L3", bound, ratio, is_least=False)


def lost(service: str) -> Floor:
    """Let no request of a burst and none of a load be lost."""
    return Floor(
        f"{service}: lost requests, {BURST} at once and under load",
        0,
        lambda results: results.unanswered(service) + results.errors(service),
        is_least=False,
    )


FLOORS = [
    *(throughput("async", "L3", scenario, 1.6) for scenario in ("get", "list", "create")),
    *(throughput("sync", "L4", scenario, 1.5) for scenario in ("get", "list", "create")),
    *(patience("async", "L3", scenario, 0.25) for scenario in ("get", "list")),
    lost("async"),
    lost("sync"),
    of_process("start-up", 1.1, Results.start_seconds),
    of_process("memory under load", 1.1, Results.rss_mb),
    Floor(
        "fan-out: 64 clients, of the possible 640 requests/s",
        0.85,
        lambda results: (
            results.load(FAN_OUT, "concurrent", 64, requests_per_second) / 64 / POSSIBLE_PER_CLIENT
        ),
    ),
    Floor(
        "fan-out: errors under load",
        0,
        lambda results: results.errors(FAN_OUT),
        is_least=False,
    ),
    Floor(
        "fan-out: p50 of one client, ms",
        108,
        lambda results: results.load(FAN_OUT, "concurrent", 1, lambda load: load.p50_ms),
        is_least=False,
    ),
    Floor(
        "generation, × a template of two files",
        1.5,
        lambda results: median(one.seconds / one.two_files_seconds for one in results.generations),
        is_least=False,
    ),
]
