"""What the AGENTS.md of a service says, taken apart so that tests can compare it with the service."""

import ast
import re
from functools import cache
from typing import NamedTuple

BLOCK = re.compile(r"^```shell\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:make|uv run|poetry run)(?: .+)?")
PATH = re.compile(r"[\w.-]*/[\w./-]*|\.?\w[\w.-]*\.(?:md|toml|yml|example)")
TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)
WORD = re.compile(r"[A-Za-z_]\w+")


class Statements(NamedTuple):
    """What a text says in code."""

    commands: list[str]
    tests: list[str]
    paths: list[str]
    names: list[str]


@cache
def statements(text: str) -> Statements:
    """Sort all code and all links of a text by what they name."""
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    commands = [line.partition("  #")[0].strip() for line in lines]
    said = Statements(commands, [], LINK.findall(text), [])
    for span in SPAN.findall(BLOCK.sub("", text)):
        _kind(said, span).append(span)
    return said


def _kind(said: Statements, span: str) -> list[str]:
    if COMMAND.fullmatch(span):
        return said.commands
    if "::" in span:
        return said.tests
    return said.paths if PATH.fullmatch(span) else said.names


def untrue(text: str, files: dict[str, str]) -> list[str]:
    """Return what a text names that a service, given as its files, does not have."""
    said = statements(text)
    targets = set(TARGET.findall(files["Makefile"]))
    return [
        *(it for it in said.commands if it.startswith("make ") and it.split()[1] not in targets),
        *(it for command in said.commands for it in _paths(command) if not _exists(it, files)),
        *(it for it in said.tests if it.partition("::")[2] not in _tests(files, it)),
        *(it for it in said.paths if not _exists(it, files)),
        *(it for it in said.names if not set(WORD.findall(it)) <= _words(files)),
    ]


def _paths(command: str) -> list[str]:
    return [word for word in command.split() if "/" in word]


def _exists(path: str, files: dict[str, str]) -> bool:
    return path in files or any(name.startswith(f"{path.rstrip('/')}/") for name in files)


def _tests(files: dict[str, str], test: str) -> set[str]:
    return _functions(files.get(test.partition("::")[0], ""))


@cache
def _functions(text: str) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)}


def _words(files: dict[str, str]) -> set[str]:
    """Return the words of all Python files; one of them must have what a text calls by its name."""
    return set().union(*(_words_of(text) for path, text in files.items() if path.endswith(".py")))


@cache
def _words_of(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text))
