"""What a resilience check finds."""

from collections.abc import Sequence
from typing import NamedTuple


class Check(NamedTuple):
    """A figure that must not exceed its limit; the text names the unit."""

    text: str
    figure: float
    limit: float

    @property
    def passed(self) -> bool:
        """Tell whether the figure is within its limit."""
        return self.figure <= self.limit

    @property
    def is_duration(self) -> bool:
        """Tell whether the figure is in seconds, so that a busy machine makes it worse."""
        return self.text.endswith(" in s") or ": seconds " in self.text


def table(checks: Sequence[Check]) -> str:
    """Return the checks as a table for people."""
    width = max(len(check.text) for check in checks)
    lines = [f"{'check':{width}}{'figure':>10}{'limit':>8}  passed"]
    for check in checks:
        verdict = "yes" if check.passed else "NO"
        lines.append(f"{check.text:{width}}{check.figure:10.4g}{check.limit:8g}  {verdict}")
    return "\n".join(lines)
