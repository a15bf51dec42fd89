"""The kinds of jobs: each has a handler and a queue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from app.kit.errors import ConflictError

# Each process that runs jobs runs one ``cpu`` job and JOB_CONCURRENCY ``io`` jobs at a time.
Queue = Literal["cpu", "io"]


@dataclass(frozen=True)
class JobKind:
    """A kind of job; ``handler`` takes a ``JobContext`` and the parameters."""

    name: str
    parameters: type[BaseModel]
    handler: Callable[..., Any]
    timeout_seconds: float
    queue: Queue = "io"


JobKinds: TypeAlias = Mapping[str, JobKind]


def by_name(*kinds: JobKind) -> dict[str, JobKind]:
    """Return the kinds by name."""
    return {kind.name: kind for kind in kinds}


def find_kind(kinds: JobKinds, name: str) -> JobKind:
    """Return the kind of a stored job; raise ``ConflictError`` if this release does not have it."""
    try:
        return kinds[name]
    except KeyError:
        raise ConflictError(f"unknown job kind: {name}") from None
