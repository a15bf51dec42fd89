"""What a run must reach."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from bench.load import BURST
from bench.results import Load, Results, p99_ms, requests_per_second
from bench.suite import FAN_OUT

# Three requests that take 100 ms, at the same time: ten answers a second for each client.
POSSIBLE_PER_CLIENT = 10
# With more than that, other programs decide what is measured.
QUIET_PERCENT = 5
# Quiet repeats that differ by more than that say nothing about a bound between them.
STEADY_RATIO = 1.5


class Verdict(StrEnum):
    """What a run says about a floor."""

    MET = "yes"
    MISSED = "**no**"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Sample:
    """One measured value, and how much of the CPU other programs took meanwhile."""

    value: float
    disturbed_percent: float = 0


@dataclass(frozen=True)
class Floor:
    """A bound of the median of some samples."""

    what: str
    bound: float
    samples: Callable[[Results], list[Sample]]
    is_least: bool = True

    def figure(self, results: Results) -> float:
        """Return what was measured."""
        return median(sample.value for sample in self.samples(results))

    def verdict(self, results: Results) -> Verdict:
        """Judge the quiet samples, if they are most of them and agree."""
        samples = self.samples(results)
        quiet = [it.value for it in samples if it.disturbed_percent <= QUIET_PERCENT]
        if 2 * len(quiet) < len(samples):
            return Verdict.NOT_JUDGED
        if self._is_met(median(quiet)):
            return Verdict.MET
        is_steady = max(quiet) <= STEADY_RATIO * min(quiet)
        is_unclear = not is_steady and any(map(self._is_met, quiet))
        return Verdict.NOT_JUDGED if is_unclear else Verdict.MISSED

    def _is_met(self, value: float) -> bool:
        return value >= self.bound if self.is_least else value <= self.bound


def ratios(
    ours: Iterable[Load], others: Iterable[Load], value: Callable[[Load], float]
) -> list[Sample]:
    """Compare the loads of two services, each inside one repeat."""
    return [
        Sample(value(one) / value(other), max(one.disturbed_percent, other.disturbed_percent))
        for one, other in zip(ours, others, strict=True)
    ]


def throughput(service: str, reference: str, scenario: str, bound: float) -> Floor:
    """Bound the requests per second at 32 clients, in multiples of the reference's."""
    return Floor(
        f"{service}: {scenario}, 32 clients, × {reference}",
        bound,
        lambda results: ratios(
            results.cell(service, scenario, 32),
            results.cell(reference, scenario, 32),
            requests_per_second,
        ),
    )


def patience(service: str, reference: str, scenario: str, bound: float) -> Floor:
    """Bound the 99th percentile at 128 clients, in multiples of the reference's."""
    return Floor(
        f"{service}: p99 of {scenario}, 128 clients, × {reference}",
        bound,
        lambda results: ratios(
            results.cell(service, scenario, 128), results.cell(reference, scenario, 128), p99_ms
        ),
        is_least=False,
    )


def start_up(results: Results) -> list[Sample]:
    """Compare the time until the first answer with that of L3, which was started beside it."""
    pairs = zip(results.starts_of("async"), results.starts_of("L3"), strict=True)
    return [
        Sample(one.seconds / other.seconds, max(one.disturbed_percent, other.disturbed_percent))
        for one, other in pairs
    ]


def memory(results: Results) -> list[Sample]:
    """Compare the memory under load with that of L3; no other program changes it."""
    pairs = zip(results.rss_mb("async"), results.rss_mb("L3"), strict=True)
    return [Sample(one / other) for one, other in pairs]


def fan_out(clients: int, value: Callable[[Load], float]) -> Callable[[Results], list[Sample]]:
    """Take a value of the concurrent endpoint."""
    return lambda results: [
        Sample(value(load), load.disturbed_percent)
        for load in results.cell(FAN_OUT, "concurrent", clients)
    ]


def generation(results: Results) -> list[Sample]:
    """Compare the time to generate a service with that of a template of two files."""
    return [
        Sample(one.seconds / one.two_files_seconds, one.disturbed_percent)
        for one in results.generations
    ]


def lost(service: str) -> Floor:
    """Require that no request of a burst or a load is lost, however busy the machine is."""
    return Floor(
        f"{service}: lost requests, {BURST} at once and under load",
        0,
        lambda results: [Sample(results.unanswered(service) + results.errors(service))],
        is_least=False,
    )


FLOORS = [
    *(throughput("async", "L3", scenario, 1.6) for scenario in ("get", "list", "create")),
    *(throughput("sync", "L4", scenario, 1.5) for scenario in ("get", "list", "create")),
    *(patience("async", "L3", scenario, 0.25) for scenario in ("get", "list")),
    lost("async"),
    lost("sync"),
    Floor("async: start-up, × L3", 1.1, start_up, is_least=False),
    Floor("async: memory under load, × L3", 1.1, memory, is_least=False),
    Floor(
        "fan-out: 64 clients, of the possible 640 requests/s",
        0.65,  # httpx2 needs 0.6 ms of CPU for each of the three calls: it is the CPU that ends it
        fan_out(64, lambda load: load.requests_per_second / 64 / POSSIBLE_PER_CLIENT),
    ),
    Floor(
        "fan-out: errors under load",
        0,
        lambda results: [Sample(results.errors(FAN_OUT))],
        is_least=False,
    ),
    Floor(
        "fan-out: p50 of one client, ms",
        108,
        fan_out(1, lambda load: load.p50_ms),
        is_least=False,
    ),
    Floor("generation, × a template of two files", 1.5, generation, is_least=False),
]
