"""Lines in the lists of the service: insert them, and remove exactly these.

An edit inserts whole lines that the file does not have yet, so its inverse removes them.
"""

import ast
from collections.abc import Iterable

from scripts.resource import RefusedError

CLOSING = {")", "]", "}"}


def insert_import(text: str, line: str) -> str:
    """Insert ``from app.x import y`` where the imports of ``app`` are sorted."""
    module = line.split()[1]
    imports = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.")
    ]
    if not imports:
        raise RefusedError("it imports nothing from app")
    later = [node.lineno - 1 for node in imports if (node.module or "") > module]
    return _insert(text, min(later, default=imports[-1].end_lineno or 0), [line])


def insert_item(text: str, opening: str, line: str) -> str:
    """Insert a line into the sorted list that begins with the line ``opening``."""
    first, last = _bounds(text, opening)
    items = text.split("\n")
    later = [number for number in range(first, last) if _key(items[number]) > _key(line)]
    return _insert(text, min(later, default=last), [line])


def append_items(text: str, opening: str, items: list[str]) -> str:
    """Insert lines at the end of the list that begins with the line ``opening``."""
    return _insert(text, _bounds(text, opening)[1], items)


def append_call(text: str, function: str, call: str) -> str:
    """Insert a statement at the end of the last ``with`` in a function."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            blocks = [it for it in node.body if isinstance(it, ast.With | ast.AsyncWith)]
            if blocks:
                last = blocks[-1].body[-1]
                return _insert(text, last.end_lineno or 0, [" " * last.col_offset + call])
    raise RefusedError(f"it has no function {function} with a transaction")


def remove(text: str, lines: Iterable[str]) -> str | None:
    """Remove lines; return None unless each of them is there exactly once."""
    rest = text.split("\n")
    for line in lines:
        found = [number for number, other in enumerate(rest) if other.removesuffix("\r") == line]
        if len(found) != 1:
            return None
        del rest[found[0]]
    return "\n".join(rest)


def added(before: str, after: str) -> list[str]:
    """Return the lines that were inserted."""
    left = before.split("\n")
    inserted = []
    for line in after.split("\n"):
        if left and line == left[0]:
            left.pop(0)
        else:
            inserted.append(line.removesuffix("\r"))
    return inserted


def _bounds(text: str, opening: str) -> tuple[int, int]:
    """Return the numbers of the first line after ``opening``, and of the line that closes it."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines.count(opening) != 1:
        raise RefusedError(f"it must have the line `{opening}` once")
    first = lines.index(opening) + 1
    # Comments and blank lines may be anywhere, and items are indented.
    outer = (n for n in range(first, len(lines)) if lines[n].strip() and lines[n][0] not in " #")
    last = next(outer, None)
    if last is not None and lines[last] in CLOSING:
        return first, last
    raise RefusedError(f"the bracket of `{opening}` must be closed on a line of its own")


def _key(line: str) -> str:
    """Return what lists are sorted by; comments and blank lines come first."""
    return line.partition("#")[0].strip().strip('",')


def _insert(text: str, number: int, new: list[str]) -> str:
    lines = text.split("\n")
    present = {line.removesuffix("\r") for line in lines}
    if found := present.intersection(new):
        raise RefusedError(f"it has the line `{min(found).strip()}` already")
    if number >= len(lines):
        raise RefusedError("it does not end with a line end")
    end = "\r" if lines[number - 1].endswith("\r") else ""
    lines[number:number] = [line + end for line in new]
    return "\n".join(lines)
