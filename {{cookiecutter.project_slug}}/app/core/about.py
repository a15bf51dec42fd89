"""The title, description and version of the service, from ``app/about.toml``."""

import tomllib
from importlib.resources import files
from typing import NamedTuple


class About(NamedTuple):
    """The fields of ``app/about.toml``."""

    title: str
    description: str
    version: str
    features: list[str]  # example


ABOUT = About(**tomllib.loads(files("app").joinpath("about.toml").read_text(encoding="utf-8")))
