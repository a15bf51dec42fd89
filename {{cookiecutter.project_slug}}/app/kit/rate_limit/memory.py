"""Count requests in the memory of this process."""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from math import ceil
from time import monotonic

from app.kit.rate_limit.policy import LimitStatus, Rule

# 50 MB if each window holds 100 requests.
MAX_WINDOWS = 50_000


class InMemoryWindows:
    """Sliding windows of recent clients.

    A window without requests for ``keep_seconds``, the length of the longest window, is deleted;
    beyond ``MAX_WINDOWS``, so is the least recently used one.
    """

    def __init__(self, keep_seconds: float) -> None:
        self._keep_seconds = keep_seconds
        # Monotonic times in seconds, ascending; the least recently used window is first.
        self._windows: OrderedDict[tuple[str, str], array[float]] = OrderedDict()

    async def count(self, rule: Rule, client: str) -> LimitStatus:
        """Count a request, unless the rule rejects it; atomic, because nothing is awaited."""
        now = monotonic()
        key = rule.name, client
        window = self._windows.get(key, array("d"))
        window = window[bisect_right(window, now - rule.seconds) :]
        is_allowed = len(window) < rule.requests
        if is_allowed:
            window.append(now)
            self._windows[key] = window
            self._windows.move_to_end(key)
            self._forget(now - self._keep_seconds)
        reset_seconds = max(1, ceil(window[0] + rule.seconds - now))
        return LimitStatus(rule, is_allowed, rule.requests - len(window), reset_seconds)

    def _forget(self, since: float) -> None:
        """Delete old windows from the front, where the least recently used are."""
        while len(self._windows) > MAX_WINDOWS or next(iter(self._windows.values()))[-1] <= since:
            self._windows.popitem(last=False)
