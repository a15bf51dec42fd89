"""One engine for all tests of deployment, and the table of what they measured."""

import os
from collections.abc import Callable, Generator

import pytest

from tests.deployment.engine import REQUIRED, Engine, missing, running_engine
from tests.deployment.images import NAMED, Image
from tests.deployment.standins import make_standins
from tests.resilience.check import Check, table

ATTEMPTS = 3
FIGURES = pytest.StashKey[list[Check]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


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
    """Return the shortest of at most three times: other programs may use the processors, too."""
    seconds = [measure()]
    while seconds[-1] > limit and len(seconds) < ATTEMPTS:
        seconds.append(measure())
    return min(seconds)


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
