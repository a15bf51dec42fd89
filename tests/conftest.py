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
from tests.trees import BUILD, forest

FIRST_FOLDER = re.compile(r"^[^/\s]+(?=/)", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--run",
        choices=("covering", "rest", "all"),
        default="covering",
        help="combinations whose own tests are run: a set with every pair of answers, the "
        "others and this set on other Pythons, or all",
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
        pairs: list[tuple[Combination, str]] = []
        if run != "rest":
            pairs += [(combination, PYTHON) for combination in COVERING]
        if run != "covering":  # looking for other Pythons starts programs
            pairs += [(it, PYTHON) for it in BEHAVIOURS if it not in COVERING]
            pairs += [(it, other) for other in other_pythons() for it in COVERING]
        names = [
            str(it) if python == PYTHON else f"{it}-{Path(python).name}" for it, python in pairs
        ]
        metafunc.parametrize(("runnable", "python"), pairs, ids=names)


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Begin with the largest services, so that no worker is left alone with one in the end."""
    items.sort(key=_size, reverse=True)


def _size(item: pytest.Function) -> int:
    runnable = _parameters(item).get("runnable")
    return runnable.size if isinstance(runnable, Combination) else 0


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
