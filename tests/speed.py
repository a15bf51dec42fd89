"""What both engines do again and again, and need not here.

It is enough to import this module, except for the hooks.
"""

import os
import runpy
from collections.abc import Callable
from contextlib import chdir
from functools import cache
from pathlib import Path
from types import CodeType

import cookiecutter.generate
import copier._main
import jinja2
from cookiecutter.exceptions import FailedHookException

_compile: Callable[..., CodeType] = jinja2.Environment.compile
_compiled: dict[tuple[object, ...], CodeType] = {}


def _compile_once(
    self: jinja2.Environment, source: str, *args: object, **options: object
) -> CodeType:
    """Compile each text once: the code depends on nothing but the text and the delimiters."""
    key = (self.block_start_string, self.trim_blocks, source, args, *sorted(options.items()))
    if key not in _compiled:
        _compiled[key] = _compile(self, source, *args, **options)
    return _compiled[key]


jinja2.Environment.compile = _compile_once  # ty: ignore[invalid-assignment] - it is overloaded


def _ask_nobody(self: copier._main.Worker, dst_relpath: Path, src_mode: int) -> None:
    """Spare copier half of its time: it asks git about each file, also where nothing follows.

    That is in every folder that is no repository; those of the life-cycle tests have processes of
    their own.
    """


copier._main.Worker._sync_git_index_executable_bit = _ask_nobody


_render_string: Callable[..., str] = copier._main.Worker._render_string


def _render_templates_only(
    self: copier._main.Worker, string: str, extra_context: dict[str, object] | None = None
) -> str:
    """Gather all answers only for a text that has tags; most parts of paths have none."""
    return _render_string(self, string, extra_context) if "{" in string else string


copier._main.Worker._render_string = _render_templates_only


_is_binary: Callable[[str], bool] = cookiecutter.generate.is_binary


def _is_binary_once(path: str) -> bool:
    """Look at each file once, as long as it stays the same."""
    absolute = os.path.abspath(path)
    return _looked_at(absolute, os.stat(absolute).st_mtime_ns)


@cache
def _looked_at(path: str, _changed_at: int) -> bool:
    return _is_binary(path)


cookiecutter.generate.is_binary = _is_binary_once  # ty: ignore[invalid-assignment] - one argument


def run_hook(script_path: str, cwd: Path | str = ".") -> None:
    """Run a hook without a process of its own."""
    with chdir(cwd):
        try:
            runpy.run_path(script_path, run_name="__main__")
        except SystemExit as refusal:
            raise FailedHookException(str(refusal)) from refusal
