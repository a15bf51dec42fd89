"""`make test-all` runs just what was asked for with SINCE and SHARD."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.combinations import BEHAVIOURS, BY_NAME, COVERING, MOST, ROOT
from tests.engines import copy_template
from tests.programs import environment, run
from tests.releases import NEUTRAL, edit, git
from tests.selection import Commit, Shard

COLLECT = ("--collect-only", "-q", "-p", "no:cacheprovider")
OWN_TESTS = "tests/test_run.py::test_own_tests"


def collected(folder: Path, *options: str) -> set[str]:
    """Return the tests that a session would run."""
    printed = run(sys.executable, "-m", "pytest", *COLLECT, *options, cwd=folder)
    return {line for line in printed.splitlines() if line.startswith("tests/")}


def commit_all(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Go on")


@pytest.fixture(scope="module")
def _repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of the template with one commit."""
    folder = copy_template(tmp_path_factory.mktemp("repository"))
    shutil.copytree(ROOT / "tests", folder / "tests")
    for name in ("pyproject.toml", ".gitignore", "tools"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder)
    return folder


@pytest.fixture
def repository(_repository: Path) -> Path:
    """Return it as it was committed last."""
    git(_repository, "reset", "--quiet", "--hard")
    git(_repository, "clean", "--quiet", "--force", "-d")
    return _repository


def of_covering(repository: Path, *options: str) -> set[str]:
    """Return the names of the covering services whose own tests would run."""
    tests = collected(repository, *options, OWN_TESTS)
    return {test.removeprefix(f"{OWN_TESTS}[").removesuffix("]") for test in tests}


def test_since_runs_just_the_services_that_differ(repository: Path) -> None:
    """The service's own tests and what is not committed yet count; other files do not."""
    file = repository / "{{cookiecutter.project_slug}}/tests/__init__.py"
    text = "# {% if cookiecutter.rate_limit %}\nLIMITED = True\n# {% endif %}\n"
    file.write_text(file.read_text("utf-8") + text, "utf-8")
    (repository / "README.md").write_text("Another one.\n", "utf-8")
    limited = {it.name for it in COVERING if it["rate_limit"]}
    assert of_covering(repository, "--since", "HEAD") == limited
    commit_all(repository)
    assert of_covering(repository, "--since", "HEAD~1") == limited


def test_since_runs_services_that_were_refused_before(repository: Path) -> None:
    declaration = repository / "cookiecutter.json"
    refused = "cookiecutter.rate_limit and cookiecutter.auth"
    rule = f"{{{{ 'not yet' if {refused} else '' }}}}"
    edit(declaration, '"__errors": {', f'"__errors": {{\n    "rate_limit": "{rule}",')
    commit_all(repository)
    git(repository, "revert", "--no-commit", "HEAD")
    new = {it.name for it in COVERING if it["rate_limit"] and it["auth"]}
    assert new
    assert of_covering(repository, "--since", "HEAD") == new


@pytest.mark.parametrize(
    "part", ["0/8", "9/8", "8", "1/0", "a/b", "1/8/2", "-1/8", " 1/8", "1/8\n"]
)
def test_part_that_means_nothing_is_refused(part: str) -> None:
    with pytest.raises(pytest.UsageError, match="use a part such as 1/8, not"):
        Shard(part)


@pytest.mark.parametrize("name", ["no-such-commit", "--help", "HEAD:tests", "HEAD^{tree}", ""])
def test_unknown_commit_is_refused(name: str) -> None:
    with pytest.raises(pytest.UsageError, match="this clone has no commit"):
        Commit(name)


@pytest.mark.parametrize("option", ["--since=no-such-commit", "--shard=9/8"])
def test_refused_selection_ends_the_session_with_one_sentence(option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", option, "-n", "2", "tests/test_run.py"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    name, _, value = option.partition("=")
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith(f"ERROR: {name}: ")
    assert repr(value) in sentence


def test_make_hands_the_selection_on(tmp_path: Path) -> None:
    """Nothing that a shell would run in it is run."""
    planned = run(
        *("make", "-n", "-o", ".venv/made", "test-all", "SINCE=it's `date`; date", "SHARD=1/8"),
        cwd=ROOT,
    )
    calls = [line for line in planned.splitlines() if " -m pytest " in line]
    assert len(calls) == 2
    for call in calls:
        echoed = call.partition(" -m pytest ")[2]
        printed = run("bash", "-c", f"printf '%s\\n' {echoed}", cwd=tmp_path).splitlines()
        assert {"--since=it's `date`; date", "--shard=1/8"} <= set(printed)


def test_the_workflow_runs_every_shard() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    job = workflow["jobs"]["check"]
    parts = job["strategy"]["matrix"]["part"]
    assert parts == list(range(1, len(parts) + 1))
    assert job["env"]["SHARD"] == f"${{{{ matrix.part }}}}/{len(parts)}"
    assert job["steps"][-1] == {"run": ".ci/run"}


def test_shards_together_are_everything_and_none_has_much_more_to_do() -> None:
    seconds = {name: float(1 + len(name) % 7) for name in BY_NAME}
    parts = [Shard(f"{index}/8").part(seconds) for index in range(1, 9)]
    assert sum(map(len, parts)) == len(BY_NAME)
    assert set().union(*parts) == BY_NAME.keys()
    loads = [sum(seconds[name] for name in part) for part in parts]
    assert max(loads) - min(loads) <= max(seconds.values())
    backwards = dict(reversed(seconds.items()))
    assert [Shard(f"{index}/8").part(backwards) for index in range(1, 9)] == parts


def test_more_shards_than_tests_leave_some_empty() -> None:
    assert [len(Shard(f"{index}/3").part({"one": 1.0})) for index in (1, 2, 3)] == [1, 0, 0]


def test_sessions_of_all_shards_run_each_test_once(repository: Path) -> None:
    modules = ["--run=rest", "tests/test_run.py", "tests/test_lowest.py", "tests/test_render.py"]
    every = collected(repository, *modules)
    assert len(every) > len(BEHAVIOURS)
    parts = [collected(repository, f"--shard={index}/2", *modules) for index in (1, 2)]
    assert sum(map(len, parts)) == len(every)
    assert set().union(*parts) == every
    own = [sum(test.startswith(OWN_TESTS) for test in part) for part in parts]
    assert min(own) > len(BEHAVIOURS) / 3


def test_a_session_without_tests_of_differing_services_is_a_success(repository: Path) -> None:
    arguments = ("-q", "-n", "1", "--since=HEAD", OWN_TESTS)
    assert "0 run" in run(sys.executable, "-m", "pytest", *arguments, cwd=repository, **NEUTRAL)


def test_every_three_answers_meet_in_what_one_machine_runs() -> None:
    met, all_of_them = (
        {group for it in services for group in it.groups(3)} for services in (MOST, BEHAVIOURS)
    )
    assert met == all_of_them
    plain = {it for it in BEHAVIOURS if it["timing_middleware"] and not it["telemetry"]}
    assert plain < set(MOST)
