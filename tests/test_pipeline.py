"""The pipelines of services, and of this repository, as far as they can be judged without running.

tests/deployment/test_pipeline.py runs their steps.
"""

import json
import re
from pathlib import Path

import pytest

from tests.combinations import PAIRS, ROOT, Combination
from tests.pipelines import (
    DEPENDABOT,
    GITHUB,
    GITLAB,
    RENOVATE,
    distinct,
    github_jobs,
    github_steps,
    gitlab_jobs,
    load,
    targets,
)
from tests.programs import run
from tests.trees import texts

OWN = ROOT / ".github"
COOL_DOWN_DAYS = 7
MAX_MINUTES = 60
FIXED_ACTION = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
FIXED_IMAGE = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")
IMAGE = re.compile(r"^\s*(?:- |image: |container: |name: )(\S+:\S+)", re.MULTILINE)
SCHEMAS = {
    GITHUB: ("vendor.github-workflows",),
    DEPENDABOT: ("vendor.dependabot",),
    GITLAB: ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
    RENOVATE: ("vendor.renovate",),
}
# Versions that more than one file names, and where.
VERSIONS = {
    "Python": (r'python-version: "([\d.]+)"', r"python:([\d.]+)-slim-trixie@"),
    "uv": (r'version: "([\d.]+)"\n\s+python-version', r"uv==([\d.]+)", r"astral-sh/uv:([\d.]+)@"),
    "Poetry": (r"poetry==([\d.]+)", r"POETRY_VERSION=([\d.]+)"),
    "export plugin": (r"poetry-plugin-export==([\d.]+)", r"POETRY_EXPORT_VERSION=([\d.]+)"),
    "Python image": (r"python:3\S+@sha256:(\w+)",),
}

of_github = pytest.mark.parametrize(
    "combination", [it for it in PAIRS if it["ci"] == "github"], ids=str
)
of_gitlab = pytest.mark.parametrize(
    "combination", [it for it in PAIRS if it["ci"] == "gitlab"], ids=str
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write each different file into a folder of its own."""
    folder = tmp_path_factory.mktemp("pipelines")
    for path in SCHEMAS:
        for number, text in enumerate(distinct(path)):
            file = folder / str(number) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("path", SCHEMAS)
def test_files_fit_the_schemas_of_their_systems(path: str, written: Path) -> None:
    """The schemas come with check-jsonschema."""
    files = sorted(written.glob(f"*/{path}"))
    assert len(files) == len(distinct(path))
    run("check-jsonschema", "--builtin-schema", *SCHEMAS[path], *files, cwd=written)


def test_own_workflows_fit_the_schema() -> None:
    schema = ("--builtin-schema", "vendor.github-workflows")
    run("check-jsonschema", *schema, *OWN.glob("workflows/*.yml"), cwd=ROOT)


def test_zizmor_finds_nothing(written: Path) -> None:
    """Not even as a pedant; offline, it does not ask whether the commits exist."""
    folders = sorted(written.glob("*/.github"))
    options = ("--offline", "--pedantic", "--strict-collection", "--no-progress", "--no-config")
    printed = run("zizmor", *options, "--collect=all", OWN, *folders, cwd=written)
    assert "No findings" in printed
    assert printed.count("completed") >= len(distinct(GITHUB)) + len(distinct(DEPENDABOT)) + 1


def test_zizmor_looks(tmp_path: Path) -> None:
    workflow = tmp_path / GITHUB
    workflow.parent.mkdir(parents=True)
    text = next(iter(distinct(GITHUB)))
    workflow.write_text(text.replace("persist-credentials: false", "fetch-depth: 1"), "utf-8")
    with pytest.raises(pytest.fail.Exception, match="artipacked"):
        run("zizmor", "--offline", "--no-progress", "--collect=all", tmp_path, cwd=tmp_path)


@of_github
def test_github_runs_what_make_ci_runs_in_its_order(combination: Combination) -> None:
    text = texts(combination)[GITHUB]
    run_here = [name for it in github_steps(github_jobs(text)["check"]) for name in targets(it.run)]
    assert run_here == ["setup", *prerequisites(combination)]


@of_gitlab
def test_gitlab_runs_what_make_ci_runs_in_its_order(combination: Combination) -> None:
    text = texts(combination)[GITLAB]
    jobs = gitlab_jobs(text)
    before = targets("\n".join(jobs["check"]["before_script"]))
    run_here = targets("\n".join(jobs["check"]["script"]))
    build = targets("\n".join(jobs.get("build", {}).get("script", [])))
    wanted = prerequisites(combination)
    assert before == ["setup"]
    assert run_here == [name for name in wanted if name != "image"]
    assert build == [name for name in wanted if name == "image"]


def prerequisites(combination: Combination) -> list[str]:
    """Return what `make ci` of a service runs."""
    match = re.search(r"^ci: (.*?)  ##", texts(combination)["Makefile"], re.MULTILINE)
    assert match
    return match[1].split()


@of_github
def test_github_jobs_end_in_time_and_have_few_rights(combination: Combination) -> None:
    text = texts(combination)[GITHUB]
    workflow = load(text)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]
    for job in github_jobs(text).values():
        assert job["timeout-minutes"] <= MAX_MINUTES
        assert job["permissions"].items() <= {"contents": "read", "packages": "write"}.items()


@of_gitlab
def test_gitlab_jobs_end_in_time(combination: Combination) -> None:
    text = texts(combination)[GITLAB]
    default = load(text)["default"]
    assert default["timeout"] == "20 minutes"
    assert default["interruptible"] is True


@pytest.mark.parametrize("path", [GITHUB, GITLAB])
def test_actions_and_images_are_fixed(path: str) -> None:
    own = [file.read_text("utf-8") for file in OWN.glob("workflows/*.yml")]
    for text in [*distinct(path), *own]:
        actions = [line.strip("- ") for line in text.splitlines() if "uses: " in line]
        assert not [line for line in actions if not FIXED_ACTION.search(line)]
        images = [name for name in IMAGE.findall(text) if "/" in name or "python:" in name]
        assert not [name for name in images if not FIXED_IMAGE.fullmatch(name)]


@pytest.mark.parametrize("what", VERSIONS)
def test_files_name_the_same_version(what: str) -> None:
    every = [*distinct(GITHUB), *distinct(GITLAB), *distinct("Dockerfile")]
    found = [re.findall(pattern, "\n".join(every)) for pattern in VERSIONS[what]]
    assert all(found)
    assert len({version for versions in found for version in versions}) == 1


def test_releases_are_proposed_after_a_week() -> None:
    for text in distinct(DEPENDABOT):
        updates = load(text)["updates"]
        assert {it["cooldown"]["default-days"] for it in updates} == {COOL_DOWN_DAYS}
        assert {it["package-ecosystem"] for it in updates} & {"uv", "pip"}
    for text in distinct(RENOVATE):
        assert json.loads(text)["minimumReleaseAge"] == f"{COOL_DOWN_DAYS} days"


def test_renovate_finds_the_programs_that_the_pipeline_installs() -> None:
    (pattern,) = {
        pattern.replace("(?<", "(?P<")
        for text in distinct(RENOVATE)
        for manager in json.loads(text)["customManagers"]
        for pattern in manager["matchStrings"]
    }
    every = [*distinct(GITLAB), *(texts(it)["Makefile"] for it in distinct(GITLAB).values())]
    names = {match["depName"] for text in every for match in re.finditer(pattern, text)}
    assert names == {
        *("cyclonedx-bom", "pip-audit", "pipx", "poetry", "poetry-plugin-export", "uv")
    }


@of_github
def test_github_deploys_only_with_its_variable(combination: Combination) -> None:
    """A job whose condition is false is skipped, which is not a failure."""
    text = texts(combination)[GITHUB]
    deployment = combination["deployment"]
    conditions = [job.get("if") for job in github_jobs(text).values()]
    variable = {"docker": "DEPLOY_HOST", "kubernetes": "DEPLOY_ENVIRONMENT"}.get(str(deployment))
    wanted = f"github.event_name == 'push' && vars.{variable} != ''"
    assert conditions == ([None] if deployment == "none" else [None, wanted])


@of_gitlab
def test_gitlab_deploys_only_with_its_variable(combination: Combination) -> None:
    text = texts(combination)[GITLAB]
    deployment = combination["deployment"]
    variable = {"docker": "DEPLOY_HOST", "kubernetes": "DEPLOY_ENVIRONMENT"}.get(str(deployment))
    wanted = (
        f'$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == "push" && ${variable}'
    )
    late = [job for job in gitlab_jobs(text).values() if job["stage"] == "deploy"]
    assert len(late) == {"none": 0, "docker": 1, "kubernetes": 2}[str(deployment)]
    assert all(job["rules"] == [{"if": wanted}] for job in late)
