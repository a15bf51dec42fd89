"""Every question changes the output, and an answer that was not given leaves no trace."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.combinations import ALL, AXES, CROSSED, DEFAULTS, QUESTIONS, Combination, context
from tests.traces import ALSO, FOLDER, WORDS, traces, words
from tests.trees import read, texts


@pytest.mark.parametrize("combination", CROSSED, ids=str)
def test_answers_not_given_leave_no_trace(combination: Combination) -> None:
    foreign = [
        word
        for question, answers in WORDS.items()
        for answer in answers
        for word in words(question, answer)
        if word not in words(question, combination[question])
        and not left_by_another(word, combination)
    ]
    files = texts(combination).items()
    assert not [line for path, text in files for line in traces(path, text, foreign)]


def left_by_another(word: re.Pattern[str], combination: Combination) -> bool:
    """Tell whether an answer to another question brings this word along."""
    others = ALSO.get(word.pattern, [])
    return any(combination[question] == answer for question, answer in others)


@pytest.mark.parametrize("question", AXES)
def test_each_answer_has_words_and_uses_them(question: str) -> None:
    """A word that no service contains would find nothing where it is forbidden."""
    assert any(WORDS[question].values())
    for answer in AXES[question]:
        chosen = [combination for combination in CROSSED if combination[question] == answer]
        said = "\n".join(text for combination in chosen for text in texts(combination).values())
        assert not [word for word in words(question, answer) if not word.search(said)]


def test_words_are_of_questions_and_their_answers() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == AXES.keys()
    for question, answers in AXES.items():
        stored = tomllib.loads((FOLDER / f"{question}.toml").read_text("utf-8"))
        named = {name for names in stored for name in names.split(" or ")}
        assert named <= {str(answer).lower() for answer in answers}, question


@pytest.mark.parametrize("question", AXES)
def test_every_answer_changes_the_output(question: str) -> None:
    variants = ([it.but(**{question: answer}) for answer in AXES[question]] for it in ALL)
    possible = next(row for row in variants if set(row) <= set(ALL))
    outputs = [texts(variant) for variant in possible]
    assert all(output not in outputs[:index] for index, output in enumerate(outputs))


@pytest.mark.parametrize("question", sorted(QUESTIONS.keys() - AXES))
def test_every_text_changes_the_output(question: str, bake: Callable[..., Path]) -> None:
    other = bake(**{question: f"x{context(DEFAULTS)[question]}"})
    assert read(other) != texts(DEFAULTS)
