"""One engine for all tests of deployment, and the table of what they measured."""

import os
import re
from collections.abc import Callable, Generator
from contextlib import ExitStack
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.deployment.engine import REQUIRED, SOCKET, Engine, missing, running_engine
from tests.deployment.images import NAMED, Image
from tests.deployment.standins import make_standins
from tests.resilience.check import Check, table

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

ATTEMPTS = 5
COMPUTE_SECONDS = 0.3  # of `slowness`: on slower machines, times are divided
FIGURES = pytest.StashKey[list[Check]]()
OF_WORKERS = "figures"
# Modules that run at the same time, those that take longest first. The tests of a module stay
# together, because they share what they set up; those of Compose do so for each service.
FIRST = ("pipeline", "compose", "devcontainer", "rollout", "documents", "manifests")
SERVICE = re.compile(r"/test_(\w+)\.py::(?:.*\[(default|full)\]$)?")


class ModuleScheduling(LoadScopeScheduling):
    """Gives each worker of xdist one module after the other."""

    def _split_scope(self, nodeid: str) -> str:
        found = SERVICE.search(nodeid)
        return "-".join(filter(None, found.groups())) if found else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> ModuleScheduling:
    """Distribute modules, in the order of ``FIRST``."""
    config.option.loadscopereorder = False
    return ModuleScheduling(config, log)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []
    if config.getoption("numprocesses", None) and not missing():
        _start_for_workers(config)


def _start_for_workers(config: pytest.Config) -> None:
    """Start one engine for all workers of xdist, which find it in their environment."""
    running = ExitStack()
    engine = running.enter_context(running_engine())
    config.add_cleanup(running.close)
    make_standins(engine)
    os.environ[SOCKET] = str(engine.socket)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules of ``FIRST`` first."""

    def place(item: pytest.Item) -> int:
        name = item.path.stem.removeprefix("test_")
        return FIRST.index(name) if name in FIRST else len(FIRST)

    items.sort(key=place)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send what a worker of xdist measured to the process that prints the table."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[OF_WORKERS] = list(map(tuple, session.config.stash[FIGURES]))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: "WorkerController") -> None:
    """Take what a worker of xdist measured."""
    found = getattr(node, "workeroutput", {}).get(OF_WORKERS, ())
    node.config.stash[FIGURES] += [Check(*it) for it in found]


@pytest.fixture(scope="session")
def engine() -> Generator[Engine]:
    """Yield an engine with all stand-ins; without one, fail or skip loudly."""
    if reason := missing():
        if REQUIRED in os.environ:
            pytest.fail(f"No engine for containers: {reason}.", pytrace=False)
        pytest.skip(f"{reason}: NO IMAGE WAS BUILT AND NO CONTAINER RUN")
    with running_engine() as engine:
        make_standins(engine)
        yield engine


@pytest.fixture(scope="module", params=NAMED)
def image(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Image:
    """Return the image of a service."""
    return Image.build(engine, request.param, tmp_path_factory.mktemp("image") / "service")


def best(measure: Callable[[], float], limit: float) -> float:
    """Return the shortest of ``ATTEMPTS`` times at most: other programs use the processors, too."""
    seconds = [measure()]
    while seconds[-1] > limit and len(seconds) < ATTEMPTS:
        seconds.append(measure())
    return min(seconds)


def slowness() -> float:
    """Return how many times as long as ``COMPUTE_SECONDS`` a computation takes now; 1 at least.

    One machine took 0.15 s for it at one hour, and 0.4 s half an hour before.
    """

    def compute() -> float:
        start, total = perf_counter(), 0
        for number in range(5_000_000):
            total += number
        return perf_counter() - start

    return max(1, min(compute() for _ in range(3)) / COMPUTE_SECONDS)


class Figures:
    """Collects figures for the table, and fails the test of one that exceeds its limit."""

    def __init__(self, config: pytest.Config) -> None:
        self._all = config.stash[FIGURES]

    def record(self, text: str, figure: float, limit: float) -> None:
        """Note a figure; the text names its unit."""
        check = Check(text, figure, limit)
        self._all.append(check)
        assert check.passed, f"{text}: {figure:.4g}, more than {limit:g}"


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Return where a test notes what it measured."""
    return Figures(request.config)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    if checks := config.stash[FIGURES]:
        terminalreporter.section("figures of the deployment")
        terminalreporter.line(table(checks))
