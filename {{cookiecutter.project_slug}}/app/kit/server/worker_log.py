"""The log of several processes on one standard output."""

import fcntl
import logging
import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from app.kit.logging import JsonFormatter


@contextmanager
def open_log_lock() -> Generator[Path]:
    """Yield the file that the processes lock while they write a line."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(NamedTemporaryFile(prefix="log-lock-"))
        except OSError as error:
            raise SystemExit(
                f"TMPDIR: WORKERS needs a temporary file, which cannot be made: {error.strerror}."
            ) from None
        yield Path(file.name)


class WorkerLogHandler(logging.Handler):
    """Writes one line at a time, with the id of the process.

    Without a lock, a full pipe mixes lines of more than 4 KiB (``PIPE_BUF``), such as tracebacks,
    with other lines. When a process dies, the kernel releases its lock.
    """

    def __init__(self, lock: Path) -> None:
        super().__init__()
        self._lock_file = lock.open("rb+")
        self.setFormatter(JsonFormatter(os.getpid()))

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        try:
            line = f"{self.format(record)}\n"
            fcntl.lockf(self._lock_file, fcntl.LOCK_EX)
            try:
                sys.stdout.write(line)
                sys.stdout.flush()
            finally:
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN)
        except Exception:  # noqa: BLE001 (as the handlers of the standard library)
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        self._lock_file.close()
        super().close()
