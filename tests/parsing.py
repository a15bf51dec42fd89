"""Files read as the programs do that they are for."""

import ast
import json
import tomllib
from functools import cache
from pathlib import PurePosixPath

import yaml


@cache
def parse(path: str, text: str) -> None:
    """Read a file by its suffix; raise what its program would raise."""
    match PurePosixPath(path).suffix:
        case ".py":
            compile(text, path, "exec", dont_inherit=True)
        case ".toml":
            tomllib.loads(text)
        case ".yml" | ".yaml":
            list(yaml.safe_load_all(text))
        case ".json":
            json.loads(text)


@cache
def imported(text: str) -> frozenset[str]:
    """Return the full names that a module imports; of ``from a import b`` this is ``a.b``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(level=0, module=str(module)):
                names |= {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(names)
