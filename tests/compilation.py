"""Jinja compiles each text once per process; most of the time of rendering goes there otherwise.

Importing this module is enough. The code depends on nothing but the text and the delimiters.
"""

from collections.abc import Callable
from types import CodeType

import jinja2

_compile: Callable[..., CodeType] = jinja2.Environment.compile
_compiled: dict[tuple[object, ...], CodeType] = {}


def _compile_once(
    self: jinja2.Environment, source: str, *args: object, **options: object
) -> CodeType:
    key = (self.block_start_string, self.trim_blocks, source, args, *sorted(options.items()))
    if key not in _compiled:
        _compiled[key] = _compile(self, source, *args, **options)
    return _compiled[key]


jinja2.Environment.compile = _compile_once  # ty: ignore[invalid-assignment] - it is overloaded
