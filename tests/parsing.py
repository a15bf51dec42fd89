"""Files read as the programs do that they are for."""

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
