"""The pipelines that services come with, as their systems read them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.combinations import CROSSED, Combination
from tests.trees import texts

GITHUB = ".github/workflows/ci.yml"
DEPENDABOT = ".github/dependabot.yml"
GITLAB = ".gitlab-ci.yml"
RENOVATE = "renovate.json"
# Keys of a GitLab pipeline that are no jobs.
GLOBAL = {"default", "stages", "workflow"}


@dataclass(frozen=True)
class Step:
    """A command of a pipeline, or an action of GitHub."""

    run: str
    uses: str
    variables: dict[str, str]
    options: dict[str, Any]


def distinct(path: str) -> dict[str, Combination]:
    """Return the different texts of a file, each with a service that has it."""
    return {texts(one)[path]: one for one in CROSSED if path in texts(one)}


@cache
def load(text: str) -> dict[str, Any]:
    """Read YAML."""
    return yaml.safe_load(text)


def github_jobs(text: str) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow."""
    return load(text)["jobs"]


def github_steps(job: dict[str, Any]) -> Iterator[Step]:
    """Yield the steps of a job."""
    for step in job["steps"]:
        variables = job.get("env", {}) | step.get("env", {})
        yield Step(step.get("run", ""), step.get("uses", ""), variables, step.get("with", {}))


def gitlab_jobs(text: str) -> dict[str, dict[str, Any]]:
    """Return the jobs of a pipeline, with what they extend merged in as GitLab does."""
    pipeline = load(text)
    return {
        name: pipeline.get(job.get("extends", ""), {}) | job
        for name, job in pipeline.items()
        if name not in GLOBAL and not name.startswith(".")
    }


def targets(commands: str) -> list[str]:
    """Return the targets of make that commands name."""
    return re.findall(r"^make ([a-z-]+)", commands, re.MULTILINE)
