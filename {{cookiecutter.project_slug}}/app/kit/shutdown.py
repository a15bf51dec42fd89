"""The state of a shutdown: the server sets it, the service reads it."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


class Shutdown:
    """The state of a graceful shutdown, kept as ``app.state.shutdown``.

    From SIGTERM on, ``is_draining`` is true and the server still accepts requests. After the drain,
    it stops accepting connections and ends event streams, which have no end of their own; other
    requests may then take the grace period.
    """

    def __init__(self) -> None:
        self.is_draining = False
        # Set by the server of this service: others lack its drain and its limits.
        self.is_served_by_kit = False
        self._listeners: list[Callable[[float], object]] = []
        self._streams: set[asyncio.Task[Any]] = set()

    @contextmanager
    def listening(self, listener: Callable[[float], object]) -> Generator[None]:
        """Call ``listener`` at SIGTERM with the end of the grace period (``monotonic``)."""
        self._listeners.append(listener)
        yield
        self._listeners.remove(listener)

    def begin(self, end_at: float) -> None:
        """Start the drain."""
        self.is_draining = True
        for listener in self._listeners:
            listener(end_at)

    def add_stream(self, task: asyncio.Task[Any]) -> None:
        """Cancel this task when the drain ends."""
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    def end_streams(self) -> None:
        """Cancel the event streams at the end of the drain."""
        for task in self._streams:
            task.cancel()
