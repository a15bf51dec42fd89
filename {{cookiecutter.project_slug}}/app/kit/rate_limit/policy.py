"""Rules, and the status of a client under a rule."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True)
class Rule:
    """At most ``requests`` of a client in any ``seconds``, to one path or to all together."""

    name: str
    requests: int
    seconds: int
    path: str | None = None


class LimitStatus(NamedTuple):
    """A client's status under a rule; its oldest request counts for ``reset_seconds`` more."""

    rule: Rule
    is_allowed: bool
    remaining: int
    reset_seconds: int


class Limiter(Protocol):
    """Counts requests."""

    async def count(self, rule: Rule, client: str) -> LimitStatus:
        """Count a request, unless the rule rejects it."""
        ...
