"""When clients sent their last requests, in the memory of this process."""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from time import monotonic, time

from limits.aio.storage import MemoryStorage

# 50 MB if each of them is full of 100 requests.
MAX_WINDOWS = 50_000


class RecentWindows(MemoryStorage):
    """Moving windows of the clients that were counted last.

    The storage of ``limits`` walks through all clients, with a thread for each, whenever one
    comes, and has no bound. This one forgets who sent nothing for ``keep_seconds``, the length of
    the longest window, and beyond ``MAX_WINDOWS`` who was counted longest ago.
    """

    STORAGE_SCHEME = None

    def __init__(self, keep_seconds: float) -> None:
        super().__init__()
        self._keep_seconds = keep_seconds
        # Times in seconds since some start, ascending; the window with the oldest last one is first.
        self._windows: OrderedDict[str, array[float]] = OrderedDict()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request unless the window is full; it awaits nothing, so none comes between."""
        now = monotonic()
        window = self._current(key, now - expiry)
        if len(window) + amount > limit:
            return False
        window.extend([now] * amount)
        self._windows[key] = window
        self._windows.move_to_end(key)
        self._forget(now - self._keep_seconds)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the first time in the window, in seconds since the epoch, and the length."""
        now = monotonic()
        window = self._current(key, now - expiry)
        # Clocks may be set; what is stored comes from one that is not.
        return time() - (now - window[0] if window else 0), len(window)

    def _current(self, key: str, since: float) -> "array[float]":  # Python 3.11 needs the quotes
        window = self._windows.get(key, array("d"))
        return window[bisect_right(window, since) :]

    def _forget(self, since: float) -> None:
        """Drop from the front, where the clients are that have been quiet for longest."""
        while len(self._windows) > MAX_WINDOWS or next(iter(self._windows.values()))[-1] <= since:
            self._windows.popitem(last=False)
