"""docs/security.md promises nothing that no test of the services shows."""

import re
from itertools import takewhile
from typing import NamedTuple

from tests.combinations import BEHAVIOURS, ROOT, Combination
from tests.trees import texts

HEADER = "| promise | answers | shown by |\n|---|---|---|\n"


class Row(NamedTuple):
    """A promise, the answers under which it is made, and the tests that show it."""

    promise: str
    answers: str
    tests: str

    def is_made_by(self, combination: Combination) -> bool:
        """Tell whether a service of these answers promises it."""
        wanted = re.findall(r"`(\w+)=([\w/]+)`", self.answers)
        return all(
            str(combination[question]).lower() in either.split("/") for question, either in wanted
        )

    def named(self) -> list[tuple[str, str]]:
        """Return the files and the tests in them."""
        return re.findall(r"`([\w/]+\.py)::(test_\w+)`", self.tests)


def rows() -> list[Row]:
    """Read all tables of promises."""
    tables = (ROOT / "docs/security.md").read_text("utf-8").split(HEADER)[1:]
    lines = [line for table in tables for line in takewhile(str.strip, table.splitlines())]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def test_each_promise_names_answers_and_tests() -> None:
    assert len(rows()) > 50
    for row in rows():
        answers = row.answers.split(", ")
        assert all(it == "always" or re.fullmatch(r"`\w+=[\w/]+`", it) for it in answers), row
        assert row.tests == ", ".join(f"`{file}::{test}`" for file, test in row.named()), row
        assert row.tests, row


def test_named_tests_are_in_the_services_that_promise() -> None:
    for row in rows():
        services = [combination for combination in BEHAVIOURS if row.is_made_by(combination)]
        assert services, row
        for file, test in row.named():
            without = [
                it.name for it in services if f"def {test}(" not in texts(it)[f"tests/{file}"]
            ]
            assert not without, row
