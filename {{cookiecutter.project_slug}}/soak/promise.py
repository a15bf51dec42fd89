"""What the service promises, beside what it did."""

from collections.abc import Sequence
from typing import NamedTuple


class Promise(NamedTuple):
    """A figure that must not exceed its limit; the unit stands in the text."""

    text: str
    figure: float
    limit: float

    @property
    def is_kept(self) -> bool:
        """Tell whether the service did as it promises."""
        return self.figure <= self.limit


def report(promises: Sequence[Promise]) -> None:
    """Print the table."""
    width = max(len(promise.text) for promise in promises)
    print(f"\n{'promise':{width}}{'figure':>10}{'limit':>8}  ok")
    for promise in promises:
        verdict = "yes" if promise.is_kept else "NO"
        print(f"{promise.text:{width}}{promise.figure:10.4g}{promise.limit:8g}  {verdict}")
