"""poetry.lock is exact in every combination, and poetry and uv install the same versions."""

import json
import re
from functools import cache

import pytest
from jinja2 import Environment
from packaging.version import Version
from poetry.factory import Factory

from tests.combinations import AXES, BEHAVIOURS, ROOT, Combination
from tests.environments import uv_lock
from tests.trees import tree
from tools.fold_locks import BY_POETRY, fold

# As both programs write it.
PACKAGE = re.compile(r'^\[\[package\]\]\nname = "(.+)"\nversion = "(.+)"$', re.MULTILINE)


@pytest.mark.parametrize("combination", BY_POETRY, ids=str)
def test_poetry_takes_the_lock_for_its_own(combination: Combination) -> None:
    """This is what ``poetry check --lock`` asks."""
    locker = Factory().create_poetry(tree(combination)).locker
    assert locker.is_locked()
    assert locker.is_fresh()


@pytest.mark.parametrize("combination", BY_POETRY, ids=str)
def test_lock_holds_just_what_uv_would_install(combination: Combination) -> None:
    """An index may show releases late: then uv finds newer ones than `make lock` found."""
    by_uv = tree(combination.but(package_manager="uv"))
    versions = _versions(uv_lock(by_uv).read_text("utf-8"))
    assert versions[by_uv.name] == "0"
    locked = _versions((tree(combination) / "poetry.lock").read_text("utf-8"))
    assert locked.keys() == versions.keys() - {by_uv.name}
    assert [name for name in locked if Version(locked[name]) > Version(versions[name])] == []


@cache
def _versions(lock: str) -> dict[str, str]:
    """Return the version of each package; a parser of TOML takes a hundred times as long."""
    versions = dict(PACKAGE.findall(lock))
    assert len(versions) == lock.count("[[package]]")
    return versions


def test_folded_locks_come_out_as_they_were() -> None:
    """Also where the answers that need a package are no conjunction."""
    locks = {combination: _lock(combination) for combination in BEHAVIOURS}
    options = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))["_jinja2_env_vars"]
    template = Environment(**options, keep_trailing_newline=True).from_string(fold(locks))  # noqa: S701
    for combination, lock in locks.items():
        assert template.render(cookiecutter=dict(combination.answers)) == lock


def _lock(combination: Combination) -> str:
    one, other = (combination[name] == AXES[name][0] for name in ("auth", "rate_limit"))
    needed = {"all": True, "both": one and other, "either": one or other, "one": one != other}
    packages = [
        f'[[package]]\nname = "{name}"\nversion = "1.0"\n\n' for name in needed if needed[name]
    ]
    return "".join(["# Written by hand.\n\n", *packages, f'[metadata]\nhash = "{one}{other}"\n'])
