"""What a run measured, as it is stored."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

FILE = Path(__file__).parent / "results" / "results.json"


@dataclass(frozen=True)
class Load:
    """One service under one kind of load."""

    service: str
    repeat: int
    scenario: str
    clients: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_us_per_request: float
    app_cpu_percent: float
    # What other programs took of the service's CPU meanwhile, and other machines of both CPUs.
    foreign_cpu_percent: float
    steal_percent: float = 0

    @property
    def disturbed_percent(self) -> float:
        """Return how far the figures are not the service's own."""
        return self.foreign_cpu_percent + self.steal_percent


def requests_per_second(load: Load) -> float:
    """Return what services are compared by."""
    return load.requests_per_second


def p99_ms(load: Load) -> float:
    """Return how long the slowest of a hundred requests take."""
    return load.p99_ms


@dataclass(frozen=True)
class Process:
    """One process of one service: what it took apart from its loads."""

    service: str
    repeat: int
    rss_mb: float
    unanswered: int


@dataclass(frozen=True)
class Start:
    """One start of one service, until it answers."""

    service: str
    seconds: float
    disturbed_percent: float = 0


@dataclass(frozen=True)
class Generation:
    """The time to generate the default service, and a template of two files."""

    seconds: float
    two_files_seconds: float
    disturbed_percent: float = 0


@dataclass(frozen=True)
class Results:
    """A whole run."""

    day: str
    machine: dict[str, str]
    repeats: int
    seconds_per_load: int
    loads: list[Load] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    generations: list[Generation] = field(default_factory=list)

    def write(self, file: Path = FILE) -> None:
        """Store it."""
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, file: Path = FILE) -> "Results":
        """Load what was stored."""
        stored = json.loads(file.read_text("utf-8"))
        stored["loads"] = [Load(**load) for load in stored["loads"]]
        stored["processes"] = [Process(**process) for process in stored["processes"]]
        stored["starts"] = [Start(**start) for start in stored["starts"]]
        stored["generations"] = [Generation(**one) for one in stored["generations"]]
        return cls(**stored)

    @property
    def foreign_cpu_percent(self) -> float:
        """What other programs took of the service's CPU in the median."""
        return median(load.foreign_cpu_percent for load in self.loads)

    def clients(self, scenario: str) -> list[int]:
        """Return the numbers of clients under which a scenario was measured."""
        return sorted({load.clients for load in self.loads if load.scenario == scenario})

    def cell(self, service: str, scenario: str, clients: int) -> list[Load]:
        """Return the repeats of one measurement."""
        wanted = (service, scenario, clients)
        return [
            load for load in self.loads if (load.service, load.scenario, load.clients) == wanted
        ]

    def load(
        self, service: str, scenario: str, clients: int, value: Callable[[Load], float]
    ) -> float:
        """Return the median of the repeats."""
        return median(map(value, self.cell(service, scenario, clients)))

    def errors(self, service: str) -> int:
        """Return how many requests were lost or not answered well, in all loads."""
        return sum(load.errors for load in self.loads if load.service == service)

    def load_ratio(
        self,
        service: str,
        reference: str,
        scenario: str,
        clients: int,
        value: Callable[[Load], float],
    ) -> float:
        """Return the median of the ratios, each taken inside one repeat."""
        pairs = zip(
            self.cell(service, scenario, clients),
            self.cell(reference, scenario, clients),
            strict=True,
        )
        return median(value(one) / value(other) for one, other in pairs)

    def rss_mb(self, service: str) -> list[float]:
        """Return the memory under load in each repeat."""
        return [one.rss_mb for one in self.processes if one.service == service]

    def starts_of(self, service: str) -> list[Start]:
        """Return its starts."""
        return [one for one in self.starts if one.service == service]

    def unanswered(self, service: str) -> int:
        """Return how many requests at once were lost in the worst repeat: none may be."""
        return max(one.unanswered for one in self.processes if one.service == service)
