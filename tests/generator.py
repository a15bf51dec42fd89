"""The program behind `make resource`, imported from a generated service."""

import gc
import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from tests.combinations import DEFAULTS
from tests.trees import tree

# Their differences between services are lines that this service has.
SERVICE = DEFAULTS.but(auth=True)
# All types and marks.
FIELDS = (
    "title:str(200)! published:date? rating:int=3 author:ref(user) genre:enum(novel|poem)=novel "
    "price:decimal(10,2)=2.5 cost:decimal(6,4)? weight:float is_new:bool=false seen_at:datetime=now "
    "made_at:datetime? isbn:uuid! extra:json more:json? contact:email? link:url summary:text? "
    "long:str(1000)? code:str(2)! pages:int^ edition:int?=1 day:date=2024-02-29 score:float=1.5 "
    "note:str=abc home:url(100)!"
)


def folder() -> Path:
    """Return the service whose program this is."""
    return tree(SERVICE)


@cache
def module(name: str) -> ModuleType:
    """Import a module of the program; those that need no package of the service."""
    with (
        patch.object(sys, "path", [str(folder()), *sys.path]),
        patch.object(sys, "dont_write_bytecode", True),
    ):
        found = importlib.import_module(f"scripts.resource.{name}")
    gc.enable()  # which the program disables for itself
    return found
