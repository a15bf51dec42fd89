"""What a client may do, and how it stands with that."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True)
class Rule:
    """At most so many requests of a client in any ``seconds``, to one path or to all together."""

    name: str
    requests: int
    seconds: int
    path: str | None = None


class LimitStatus(NamedTuple):
    """How a client stands with a rule; its oldest request stops counting after ``reset_seconds``."""

    rule: Rule
    is_allowed: bool
    remaining: int
    reset_seconds: int


class Limiter(Protocol):
    """Counts requests."""

    async def count(self, rule: Rule, client: str) -> LimitStatus:
        """Count a request, unless the rule refuses it."""
        ...
