"""What a kind of jobs consists of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

# Work that keeps a processor busy runs one at a time in each process that runs jobs.
Lane = Literal["processor", "waiting"]


@dataclass(frozen=True)
class Kind:
    """What a job of this kind does. ``body`` takes a ``Run`` and the parameters."""

    name: str
    parameters: type[BaseModel]
    body: Callable[..., Any]
    timeout_seconds: float
    lane: Lane = "waiting"
