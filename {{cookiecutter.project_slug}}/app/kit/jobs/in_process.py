"""Run jobs in the process of the service.

The table is the queue: each process takes the job that has waited longest. So several processes
share the work, and jobs that were queued when a process stopped are started by the next one.
"""

import logging
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

import anyio

from app.kit.db.database import Database
from app.kit.db.model import Record
from app.kit.jobs.calls import run_shielded
from app.kit.jobs.enqueue import JobQueue
from app.kit.jobs.executor import JobExecutor
from app.kit.jobs.kinds import JobKinds, Queue
from app.kit.jobs.polling import PollingJobStore
from app.kit.jobs.settings import JobSettings

logger = logging.getLogger(__name__)


class InProcessWorker(JobQueue):
    """Takes jobs from the table and runs a bounded number at once."""

    def __init__(self, database: Database, settings: JobSettings, kinds: JobKinds) -> None:
        super().__init__(kinds)
        self._store = PollingJobStore(database)
        self._settings = settings
        self._executor = JobExecutor(database, settings, kinds, unfinished="interrupted")
        self._woken: dict[Queue, anyio.Event] = {"cpu": anyio.Event(), "io": anyio.Event()}
        self._running = 0
        self._give_up_at = math.inf

    def wake(self) -> None:
        """Look for new jobs, after the commit of a transaction that may have added one."""
        for event in self._woken.values():
            event.set()

    async def run_queue(self, queue: Queue, size: int) -> None:
        """Run the jobs of a queue, ``size`` at once."""
        kinds = [kind.name for kind in self.kinds.values() if kind.queue == queue]
        free = anyio.Semaphore(size)
        async with anyio.create_task_group() as group:
            await free.acquire()
            while self._give_up_at == math.inf:
                row = await self._take(queue, kinds)
                if row is not None:
                    group.start_soon(self._run, row, free)
                    await free.acquire()

    async def _take(self, queue: Queue, kinds: Sequence[str]) -> Record | None:
        """Start a job, or return None after waiting for one."""
        self._woken[queue] = anyio.Event()
        self._running += 1  # before others can see that the job is running
        try:
            row = await run_shielded(partial(self._store.start_next, kinds))
        except Exception:
            logger.exception("jobs cannot be started")
            row = None
        if row is None:
            self._running -= 1
            with anyio.move_on_after(self._settings.job_lost_seconds):
                await self._woken[queue].wait()
        return row

    async def _run(self, row: Record, free: anyio.Semaphore) -> None:
        try:
            await self._executor.run(row)
        finally:
            self._running -= 1
            free.release()

    async def maintain(self) -> None:
        """Periodically interrupt jobs whose process has stopped, and delete old jobs."""
        lost_seconds = self._settings.job_lost_seconds
        while True:
            try:
                await run_shielded(partial(self._store.interrupt_stalled, lost_seconds))
                await run_shielded(
                    partial(self._store.purge_finished, self._settings.job_keep_days)
                )
            except Exception:
                logger.exception("job maintenance failed")
            await anyio.sleep(lost_seconds)

    def leave(self, give_up_at: float) -> None:
        """Start no more jobs; running jobs may continue until ``give_up_at`` (``monotonic``)."""
        self._give_up_at = min(give_up_at, self._give_up_at)
        self.wake()

    async def finish(self) -> None:
        """Wait for the running jobs."""
        while self._running and monotonic() < self._give_up_at:
            await anyio.sleep(0.01)


@asynccontextmanager
async def open_worker(
    database: Database,
    settings: JobSettings,
    kinds: JobKinds,
    *,
    grace_seconds: float,
) -> AsyncGenerator[InProcessWorker]:
    """Run jobs; at exit, wait for running jobs and interrupt those that take too long."""
    worker = InProcessWorker(database, settings, kinds)
    async with anyio.create_task_group() as group:
        group.start_soon(worker.maintain)
        group.start_soon(worker.run_queue, "cpu", 1)
        group.start_soon(worker.run_queue, "io", settings.job_concurrency)
        yield worker
        worker.leave(monotonic() + grace_seconds)
        await worker.finish()
        group.cancel_scope.cancel()
