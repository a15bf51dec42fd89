"""Run jobs in the process of the service.

The table is the queue: whoever is free takes the job that waits longest. So a job that had not
begun when its process ended is begun by the next one, and several processes share the work.
"""

import logging
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

import anyio

from app.core.config import Settings
from app.crud.base import Record
from app.db.session import Database
from app.kit.jobs.calls import run_unbroken
from app.kit.jobs.context import JobTable
from app.kit.jobs.enqueue import KINDS
from app.kit.jobs.executor import Runner

logger = logging.getLogger(__name__)


class InProcessWorker:
    """Takes jobs from the table and runs a bounded number at once."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._table = JobTable(database)
        self._settings = settings
        self._runner = Runner(database, settings, unfinished="interrupted")
        self._woken = {"processor": anyio.Event(), "waiting": anyio.Event()}
        self._running = 0
        self._give_up_at = math.inf

    def wake(self) -> None:
        """Say that there may be a new job."""
        for event in self._woken.values():
            event.set()

    async def run_lane(self, lane: str, size: int) -> None:
        """Run the jobs of a lane, ``size`` at once."""
        kinds = [kind.name for kind in KINDS.values() if kind.lane == lane]
        places = anyio.Semaphore(size)
        async with anyio.create_task_group() as group:
            await places.acquire()
            while self._give_up_at == math.inf:
                row = await self._take(lane, kinds)
                if row is not None:
                    group.start_soon(self._run, row, places)
                    await places.acquire()

    async def _take(self, lane: str, kinds: Sequence[str]) -> Record | None:
        """Take a job, or return None after waiting for one."""
        self._woken[lane] = anyio.Event()
        self._running += 1  # before others can see that the job has begun
        try:
            row = await run_unbroken(partial(self._table.start_next, kinds))
        except Exception:
            logger.exception("jobs cannot be taken")
            row = None
        if row is None:
            self._running -= 1
            with anyio.move_on_after(self._settings.job_lost_seconds):
                await self._woken[lane].wait()
        return row

    async def _run(self, row: Record, places: anyio.Semaphore) -> None:
        try:
            await self._runner.run(row)
        finally:
            self._running -= 1
            places.release()

    async def tidy(self) -> None:
        """Look now and then after jobs whose process is gone, and delete old ones."""
        while True:
            try:
                await run_unbroken(partial(self._table.interrupt, self._settings.job_lost_seconds))
                await run_unbroken(partial(self._table.forget, self._settings.job_keep_days))
            except Exception:
                logger.exception("jobs cannot be tidied")
            await anyio.sleep(self._settings.job_lost_seconds)

    def leave(self, give_up_at: float) -> None:
        """Begin no more jobs; those that run have until then, by the monotonic clock in seconds."""
        self._give_up_at = min(give_up_at, self._give_up_at)
        self.wake()

    async def finish(self) -> None:
        """Wait for the jobs that run."""
        while self._running and monotonic() < self._give_up_at:
            await anyio.sleep(0.01)


@asynccontextmanager
async def open_worker(database: Database, settings: Settings) -> AsyncGenerator[InProcessWorker]:
    """Run jobs meanwhile; at the end let them finish, and interrupt those that take too long."""
    worker = InProcessWorker(database, settings)
    async with anyio.create_task_group() as group:
        group.start_soon(worker.tidy)
        group.start_soon(worker.run_lane, "processor", 1)
        group.start_soon(worker.run_lane, "waiting", settings.job_concurrency)
        yield worker
        worker.leave(monotonic() + settings.grace_seconds)
        await worker.finish()
        group.cancel_scope.cancel()
