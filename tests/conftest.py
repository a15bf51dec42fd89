"""Which combinations a session runs, what it says about them, and the fixtures of the suite."""

import os
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.combinations import BEHAVIOURS, BY_NAME, COVERING, Combination
from tests.engines import template
from tests.environments import PYTHON, other_pythons
from tests.services import NEW, QUICK, SLOW
from tests.trees import BUILD, forest

FIRST_FOLDER = re.compile(r"^[^/\s]+(?=/)", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--run",
        choices=("quick", "covering", "rest", "all"),
        default="quick",
        help="services' own tests: the quick ones of a set with every pair of answers; all of this "
        "set; all but the quick ones, of the other combinations and on other Pythons, too; or all",
    )


def pytest_xdist_auto_num_workers() -> int:
    """Start one more than there are processors: services wait for a quarter of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    forest()  # before workers start, so that all of them use one


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose what is run, and with which Python: the covering set with every one that is here."""
    if "runnable" in metafunc.fixturenames:
        run = metafunc.config.getoption("run")
        runs: list[tuple[Combination, str, str]] = []
        if run != "rest":
            runs += [(it, PYTHON, QUICK) for it in COVERING]
        if run != "quick":
            runs += [(it, PYTHON, SLOW) for it in COVERING]
        if run in {"rest", "all"}:  # looking for other Pythons starts programs
            runs += [(it, PYTHON, NEW) for it in BEHAVIOURS if it not in COVERING]
            runs += [(it, other, QUICK) for other in other_pythons() for it in COVERING]
        metafunc.parametrize(("runnable", "python", "marks"), runs, ids=[_name(*it) for it in runs])


def _name(combination: Combination, python: str, marks: str) -> str:
    """Name a run; what is usual goes without saying."""
    unusual = [Path(python).name] if python != PYTHON else [marks] if marks == SLOW else []
    return "-".join([str(combination), *unusual])


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it in the end."""
    items.sort(key=_length, reverse=True)


def _length(item: pytest.Function) -> tuple[bool, int]:
    """Compare runs of services: slow tests take longest, then those of large services."""
    parameters = _parameters(item)
    runnable = parameters.get("runnable")
    size = runnable.size if isinstance(runnable, Combination) else 0
    return parameters.get("marks") == SLOW, size


def _parameters(item: pytest.Function) -> dict[str, object]:
    return item.callspec.params if hasattr(item, "callspec") else {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, Any, Any]:
    """Say how to generate the combination of a failed test."""
    report = yield
    parameters = _parameters(item).values()
    combinations = [value for value in parameters if isinstance(value, Combination)]
    report.user_properties.extend((item.path.stem, it.name) for it in combinations)
    if report.failed:
        paths = {match[0] for match in FIRST_FOLDER.finditer(report.longreprtext)}
        combinations += [BY_NAME[name] for name in sorted(paths & BY_NAME.keys())[:5]]
        lines = "\n".join(combination.command_line for combination in combinations)
        report.sections.append(("to generate these services", lines))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count combinations: rendered, run, failed, and the seconds that a run took on average."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    reports = [report for report in reports if isinstance(report, pytest.TestReport)]
    runs = [report for report in reports if _combinations([report], "test_run")]
    ran = _combinations(runs, "test_run")
    rendered = _combinations(reports, "test_render") | ran
    failed = _combinations([report for report in reports if report.failed])
    workers = {getattr(run, "worker_id", "") for run in runs}
    tests = {run.nodeid for run in runs}
    seconds = sum(run.duration for run in runs) / max(len(tests) * len(workers), 1)
    terminalreporter.section("combinations")
    terminalreporter.line(
        f"{len(rendered)} rendered, {len(ran)} run, {len(failed)} failed; "
        f"{seconds:.1f} s for each run"
    )


def _combinations(reports: list[pytest.TestReport], module: str | None = None) -> set[object]:
    return {
        combination
        for report in reports
        for name, combination in report.user_properties
        if module in (None, name)
    }


@pytest.fixture
def bake(cookies: Cookies, capfd: pytest.CaptureFixture[str]) -> Callable[..., Path]:
    """Generate as cookiecutter's users do; raise with what they would read."""

    def generate(**answers: str | bool) -> Path:
        result = cookies.bake(extra_context=answers, template=str(template()))
        if result.exception:
            raise RuntimeError(capfd.readouterr().err) from result.exception
        return result.project_path

    return generate


@pytest.fixture(scope="session")
def workplace(worker_id: str) -> Path:
    """Return this worker's own folder, in which one service after the other is run."""
    folder = BUILD / "workplaces" / worker_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder
