"""The questions of cookiecutter.json and the combinations of answers that are built."""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config

import tests.speed  # noqa: F401 - importing is enough

ROOT = Path(__file__).parents[1]
QUESTIONS: dict[str, str | bool | list[str]] = {
    name: default
    for name, default in json.loads((ROOT / "cookiecutter.json").read_text("utf-8")).items()
    if not name.startswith("_")
}
# All answers to the questions that have a finite number of them, the default first.
AXES: dict[str, tuple[str | bool, ...]] = {
    name: tuple(default) if isinstance(default, list) else (default, not default)
    for name, default in QUESTIONS.items()
    if not isinstance(default, str)
}
# Questions that do not change what the service does; test_render.py proves it.
NEUTRAL = ("package_manager", "deployment", "ci")


@dataclass(frozen=True)
class Combination:
    """One answer to each question of ``AXES``; text keeps its default."""

    answers: tuple[tuple[str, str | bool], ...]

    @cached_property
    def name(self) -> str:
        """The answers that are not the default, as cookiecutter takes them, with commas."""
        chosen = (f"{key}={_typed(value)}" for key, value in self.answers if value != AXES[key][0])
        return ",".join(chosen) or "defaults"

    @property
    def command_line(self) -> str:
        """The command that generates just this combination."""
        answers = self.name.split(",") if self.name != "defaults" else []
        return " ".join(["cookiecutter . --no-input --output-dir build", *answers])

    def groups(self, size: int) -> frozenset[tuple[tuple[str, str | bool], ...]]:
        """Return every answer, every two answers that meet here, or every three."""
        return frozenset(itertools.combinations(self.answers, size))

    @property
    def size(self) -> int:
        """How many of its answers bring something."""
        return sum(answer not in (False, "none") for _, answer in self.answers)

    def __getitem__(self, question: str) -> str | bool:
        return dict(self.answers)[question]

    def but(self, **answers: str | bool) -> "Combination":
        """Return this combination with other answers to some questions."""
        return Combination(tuple((dict(self.answers) | answers).items()))

    def __str__(self) -> str:
        return self.name


def _typed(answer: str | bool) -> str:
    return answer if isinstance(answer, str) else str(answer).lower()


@cache
def context(combination: Combination) -> dict[str, Any]:
    """Return the answers and all that cookiecutter derives from them."""
    source = str(ROOT / "cookiecutter.json")
    plain = generate_context(source, extra_context=dict(combination.answers))
    return prompt_for_config(plain, no_input=True)


def is_refused(combination: Combination) -> bool:
    """Tell whether no service is made from these answers."""
    return any(context(combination)["__errors"].values())


def every(axes: dict[str, tuple[str | bool, ...]]) -> list[Combination]:
    """Cross all answers, the defaults first."""
    return [
        Combination(tuple(zip(axes, answers, strict=True)))
        for answers in itertools.product(*axes.values())
    ]


def covering(combinations: Iterable[Combination], size: int = 2) -> list[Combination]:
    """Choose few of them in which every ``size`` answers still meet, greedily, the defaults first."""
    left = {combination: combination.groups(size) for combination in combinations}
    missing = {group for groups in left.values() for group in groups}
    chosen: list[Combination] = []
    while missing:
        best = max(left, key=lambda combination: len(left[combination] & missing))
        chosen.append(best)
        missing -= left[best]
    return chosen


# One of each behaviour, with the default answers to the neutral questions.
BEHAVIOURS = [
    combination
    for combination in every(
        {name: answers[:1] if name in NEUTRAL else answers for name, answers in AXES.items()}
    )
    if not is_refused(combination)
]
DEFAULTS = BEHAVIOURS[0]
# No rule depends on a neutral question: test_refusals.py tests this.
ALL = [
    combination.but(**dict(zip(NEUTRAL, answers, strict=True)))
    for combination in BEHAVIOURS
    for answers in itertools.product(*(AXES[name] for name in NEUTRAL))
]
COVERING = covering(BEHAVIOURS)
EACH_ANSWER = covering(BEHAVIOURS, 1)
THREE_ANSWERS = covering(BEHAVIOURS, 3)
# What one machine runs of them: these two questions make four times as many services, and change
# nothing of what endpoints do.
MOST = [
    it
    for it in BEHAVIOURS
    if it in THREE_ANSWERS or (it["timing_middleware"] and not it["telemetry"])
]
# In which `make resource` differs: the text that it writes, the database, and the revisions.
GROWING = [
    DEFAULTS,
    DEFAULTS.but(database="postgresql", async_db=False, auth=True, job_queue="procrastinate"),
    DEFAULTS.but(async_db=False, auth=True, job_queue="in_process", fan_out=False),
]
# Neutral answers only meet each other answer here: test_render.py compares these trees and proves
# that they change listed files only.
PAIRS = covering(ALL)
CROSSED = BEHAVIOURS + [it for it in PAIRS if it not in BEHAVIOURS]
BY_NAME = {combination.name: combination for combination in ALL}
# Questions that change the OpenAPI document; of jobs only whether there are any. The plugin
# new_documents.py, which sees the document of each service, checks this.
IN_DOCUMENT = ("fan_out", "auth", "rate_limit", "job_queue")


def document_name(combination: Combination) -> str:
    """Name the OpenAPI document: services with the same name have the same document."""
    answers = (combination[question] not in (False, "none") for question in IN_DOCUMENT)
    return ",".join(["with", *itertools.compress(IN_DOCUMENT, answers)])


# A service for each document.
DOCUMENTS = list({document_name(it): it for it in reversed(BEHAVIOURS)}.values())[::-1]
