"""Which combinations a session runs, what it says about them, and the fixtures of the suite."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.combinations import BY_NAME, COVERING, CROSSED, GROWING, PAIRS, Combination
from tests.engines import template
from tests.environments import PYTHON, other_pythons
from tests.selection import RUNS, Commit, Run, Shard
from tests.services import NEW, QUICK, SLOW
from tests.trees import BUILD, forest

SINCE = pytest.StashKey[Commit]()
SHARD = pytest.StashKey[Shard]()
# How long tests take on two cores, so that shards get equal parts. Of these modules each test is
# dealt out by itself, the others stay whole, because their tests share what they set up.
SLOW_SECONDS = 25
SECONDS = {
    "test_clients": 8,
    "test_commands": 20,
    "test_copier": 0.3,
    "test_corpus": 60,
    "test_error_tracking": 15,
    "test_lowest": 25,
    "test_observability": 10,
    "test_poetry": 10,
    "test_resource": 8,
    "test_rules": 2,
    "test_run": 5,
    "test_versions": 15,
}
FIRST_FOLDER = re.compile(r"^[^/\s]+(?=/)", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--run",
        choices=RUNS,
        default="quick",
        help="services' own tests: the quick ones of a set with every pair of answers; the rest, "
        "which are the slow ones, those of the other combinations and on other Pythons; most of the "
        "rest, in which every three answers meet, and every answer on each Python; or all",
    )
    parser.addoption("--since", default="", help="run only services that differ from a commit's")
    parser.addoption("--shard", default="", help="run one part of all tests, such as 1/8")


def pytest_xdist_auto_num_workers() -> int:
    """Start one more than there are processors: services wait for a quarter of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    forest()  # before workers start, so that all of them use one
    if commit := config.getoption("since"):
        config.stash[SINCE] = Commit(commit)
    if shard := config.getoption("shard"):
        config.stash[SHARD] = Shard(shard)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose what is run, and with which Python: the covering set with every one that is here."""
    run = RUNS[metafunc.config.getoption("run")]
    if "runnable" in metafunc.fixturenames:
        quick = [(it, PYTHON, QUICK) for it in COVERING]
        rest = [(it, PYTHON, SLOW) for it in COVERING]
        rest += [(it, PYTHON, NEW) for it in run.services if it not in COVERING]
        if run.has_rest:  # looking for other Pythons starts programs
            rest += [(it, other, QUICK) for other in other_pythons() for it in run.on_other_pythons]
        runs = run.of(quick, rest)
        metafunc.parametrize(("runnable", "python", "marks"), runs, ids=[_name(*it) for it in runs])
    if "rendered_twice" in metafunc.fixturenames:
        others = [it for it in CROSSED if it not in PAIRS]
        metafunc.parametrize("rendered_twice", run.of(PAIRS, others), ids=str)
    if "growing" in metafunc.fixturenames:
        others = [it for it in run.growing if it not in GROWING]
        metafunc.parametrize("growing", run.of(GROWING, others), ids=str)


def _name(combination: Combination, python: str, marks: str) -> str:
    """Name a run; what is usual goes without saying."""
    unusual = [Path(python).name] if python != PYTHON else [marks] if marks == SLOW else []
    return "-".join([str(combination), *unusual])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Leave out what was not asked for; begin with what takes longest.

    So no worker is left alone with a long test in the end.
    """
    chosen = [item for item in items if _is_chosen(config, item)]
    if SHARD in config.stash:
        seconds: defaultdict[str, float] = defaultdict(float)
        for item in chosen:
            seconds[_unit(item)] += _seconds(item)
        part = config.stash[SHARD].part(seconds)
        chosen = [item for item in chosen if _unit(item) in part]
    if left_out := [item for item in items if item not in set(chosen)]:
        config.hook.pytest_deselected(items=left_out)
    items[:] = sorted(chosen, key=_length, reverse=True)


def _is_chosen(config: pytest.Config, item: pytest.Function) -> bool:
    """Tell whether a run includes a test, and whether its service differs from the commit's."""
    if item.path.stem == "test_resource" and not _is_due(RUNS[config.getoption("run")], item):
        return False
    if SINCE not in config.stash or item.path.stem not in SECONDS:
        return True
    services = [it for it in _parameters(item).values() if isinstance(it, Combination)]
    return not services or any(map(config.stash[SINCE].differs, services))


def _is_due(run: Run, item: pytest.Function) -> bool:
    """Tell whether a test that starts one service is for this run."""
    is_of_rest = item.get_closest_marker("rest") is not None
    return "growing" in _parameters(item) or (run.has_rest if is_of_rest else run.has_quick)


def _unit(item: pytest.Function) -> str:
    """Name what one shard takes as a whole."""
    return item.nodeid if item.path.stem in SECONDS else item.path.stem


def _seconds(item: pytest.Function) -> float:
    """Estimate how long a test takes."""
    if _parameters(item).get("marks") == SLOW:
        return SLOW_SECONDS
    return SECONDS.get(item.path.stem, 0.1)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Take it for a success that no service differs, or that a small shard is empty."""
    is_part = SINCE in session.config.stash or SHARD in session.config.stash
    if is_part and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


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
