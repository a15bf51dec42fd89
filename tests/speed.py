"""What both engines do again and again, and need not here. Importing this module is enough."""

from collections.abc import Callable
from pathlib import Path
from types import CodeType

import copier._main
import jinja2

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
