"""Serve with several processes, which accept connections on the same sockets.

uvicorn's supervisor is not used: it runs uvicorn's own ``Server``, which does not drain; it starts a
worker that exits with 1 again, for ever; it kills a worker that was paused for 5 s; and its workers
keep the port when the supervisor is killed.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic
from typing import Protocol

from app.kit.logging import configure_logging
from app.kit.server.server import Server
from app.kit.server.settings import ServerSettings
from app.kit.server.worker_log import WorkerLogHandler, open_log_lock

# For what a worker does after its drain and its grace period.
STOP_MARGIN_SECONDS = 3

logger = logging.getLogger(__name__)
spawn = get_context("spawn")


class Serve(Protocol):
    """Serves on the sockets until SIGTERM, and calls ``on_start`` when it accepts requests."""

    def __call__(
        self, sockets: list[socket.socket], *, on_start: Callable[[Server], object]
    ) -> None: ...


def run_workers(
    serve: Serve, sockets: list[socket.socket], settings: ServerSettings, log_level: str
) -> None:
    """Serve with ``settings.workers`` processes until SIGTERM or Ctrl+C; replace those that die.

    Raise ``SystemExit`` with a sentence if a worker cannot start, after the others have stopped.
    """
    with _received_signals() as signals, open_log_lock() as log_lock:
        configure_logging(log_level, WorkerLogHandler(log_lock))
        for warning in settings.per_worker():
            logger.warning(warning)
        logger.info("starting %d workers", settings.workers)
        supervisor = Supervisor(Work(serve, sockets, log_level, log_lock), settings.workers)
        try:
            supervisor.run(signals)
        finally:
            logger.info("stopping the workers")
            for one in sockets:  # so that clients are refused as soon as no worker listens
                one.close()
            seconds = settings.effective_drain_seconds + settings.grace_seconds
            killed = supervisor.stop(signals, seconds + STOP_MARGIN_SECONDS)
    if killed:
        raise SystemExit(f"{killed} workers were killed before they had stopped.")


@contextmanager
def _received_signals() -> Generator[socket.socket]:
    """Yield a socket that receives the number of each SIGTERM and SIGINT."""
    received, raised = socket.socketpair()
    with received, raised:
        received.setblocking(False)
        raised.setblocking(False)
        signal.set_wakeup_fd(raised.fileno())
        handlers = {
            number: signal.signal(number, lambda *_: None)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        yield received
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)


class Work:
    """What a worker does in its own process."""

    def __init__(
        self, serve: Serve, sockets: list[socket.socket], log_level: str, log_lock: Path
    ) -> None:
        self._serve = serve
        self._sockets = sockets
        self._log_level = log_level
        self._log_lock = log_lock

    def __call__(self, supervisor: Connection) -> None:
        """Serve; send None when requests are accepted, or the sentence that says why not."""
        configure_logging(self._log_level, WorkerLogHandler(self._log_lock))
        try:
            self._serve(self._sockets, on_start=lambda server: _report(server, supervisor))
        except SystemExit as error:
            if isinstance(error.code, str):
                supervisor.send(error.code)
            raise SystemExit(1) from None
        except Exception:
            logger.critical("uncaught exception", exc_info=True)
            raise SystemExit(1) from None


def _report(server: Server, supervisor: Connection) -> None:
    """Report that the worker serves; stop it when the supervisor has died."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_reader(supervisor.fileno())
        logger.error("the supervisor died: stopping")
        server.should_exit = True

    loop.add_reader(supervisor.fileno(), stop)
    with suppress(OSError):
        supervisor.send(None)


class Worker:
    """A worker, as the supervisor sees it."""

    def __init__(self, work: Work) -> None:
        self.has_started = False
        self.refusal: str | None = None
        self.reports, theirs = spawn.Pipe()
        self._process = spawn.Process(target=work, args=(theirs,))
        resource_tracker.ensure_running()  # otherwise the start does that, and unblocks signals
        # A terminal sends Ctrl+C to all of its processes, but only the supervisor may react.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self._process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()

    def read_report(self) -> None:
        """Note what the worker says; raise ``OSError`` or ``EOFError`` if it has died."""
        self.refusal = self.reports.recv()
        self.has_started = self.refusal is None

    def terminate(self) -> None:
        """Ask the worker to stop."""
        self._process.terminate()

    def kill(self) -> None:
        """Stop the worker at once."""
        self._process.kill()

    def join(self) -> str:
        """Wait for the end of the process; return its id and how it ended."""
        self._process.join()
        self.reports.close()
        code = self._process.exitcode or 0
        ending = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"worker {self._process.pid} ({ending})"


class Supervisor:
    """Starts workers, replaces those that die, and stops them."""

    def __init__(self, work: Work, number: int) -> None:
        self._work = work
        self._number = number
        self._workers: dict[Connection, Worker] = {}

    def run(self, signals: socket.socket) -> None:
        """Keep the number of workers until a signal; raise ``SystemExit`` if one cannot start.

        The first starts alone, because what prevents its start would prevent the others', too.
        """
        self._start()
        while signals not in (ready := wait([signals, *self._workers])):
            for worker in self._read(ready):
                self._replace(worker)
            started = [worker.has_started for worker in self._workers.values()]
            for _ in range(self._number - len(started) if all(started) else 0):
                self._start()
        signals.recv(64)

    def stop(self, signals: socket.socket, seconds: float) -> int:
        """Stop the workers; return how many were killed, after so long or at a second Ctrl+C."""
        for worker in self._workers.values():
            worker.terminate()
        give_up_at = monotonic() + seconds
        while self._workers:
            ready = wait([signals, *self._workers], max(0, give_up_at - monotonic()))
            if not ready or (signals in ready and signal.SIGINT in signals.recv(64)):
                break
            for worker in self._read(ready):
                worker.join()
        for worker in self._workers.values():
            worker.kill()
            worker.join()
        return len(self._workers)

    def _start(self) -> None:
        worker = Worker(self._work)
        self._workers[worker.reports] = worker

    def _read(self, ready: Sequence[object]) -> list[Worker]:
        """Read the reports that have arrived; return the workers that have died."""
        died = []
        for reports in ready:
            if isinstance(reports, Connection):
                try:
                    self._workers[reports].read_report()
                except (EOFError, OSError):
                    died.append(self._workers.pop(reports))
        return died

    def _replace(self, worker: Worker) -> None:
        ended = worker.join()
        if worker.refusal is not None:
            raise SystemExit(worker.refusal)
        if not worker.has_started:
            raise SystemExit(f"{ended} ended before it accepted requests; see the lines above.")
        logger.error("%s died: starting another", ended)
        self._start()
