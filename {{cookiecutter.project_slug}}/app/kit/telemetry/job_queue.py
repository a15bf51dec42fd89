"""Metrics of the queue of jobs."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from app.kit.db.database import Database
from app.kit.jobs.calls import run_shielded
from app.kit.jobs.kinds import JobKinds
from app.kit.telemetry.job_counts import JobCount, count_jobs

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 10
END_SECONDS = 1  # how long the end of the process waits for a count
STATUSES = ("queued", "running")


class QueueGauges:
    """The last count of jobs; all processes of the service see the same."""

    def __init__(self, kinds: JobKinds) -> None:
        self._kinds = kinds
        self._counts: dict[tuple[str, str], JobCount] | None = None

    def set(self, counts: list[JobCount] | None) -> None:
        """Keep a count; None if the database did not answer."""
        self._counts = None if counts is None else {(it.kind, it.status): it for it in counts}

    def depth(self, _: CallbackOptions) -> Iterable[Observation]:
        """Observe how many jobs there are of each kind and status."""
        for kind, status, found in self._all():
            attributes = {"job.kind": kind, "job.status": status}
            yield Observation(found.jobs if found else 0, attributes)

    def age(self, _: CallbackOptions) -> Iterable[Observation]:
        """Observe how long the oldest job of each kind has waited for its first attempt."""
        for kind, status, found in self._all():
            if status == "queued":
                yield Observation(found.age_seconds if found else 0.0, {"job.kind": kind})

    def _all(self) -> Iterable[tuple[str, str, JobCount | None]]:
        counts = self._counts
        if counts is None:
            return
        for kind in {*self._kinds, *(kind for kind, _ in counts)}:
            for status in STATUSES:
                yield kind, status, counts.get((kind, status))


@asynccontextmanager
async def measuring_queue(
    meter: Meter, database: Database, kinds: JobKinds
) -> AsyncGenerator[None]:
    """Count the jobs periodically."""
    gauges = QueueGauges(kinds)
    meter.create_observable_gauge(
        "job.queue.depth", [gauges.depth], "{job}", "Jobs that wait or run."
    )
    meter.create_observable_gauge(
        "job.queue.age", [gauges.age], "s", "How long the oldest job waits for its first attempt."
    )

    is_ending = asyncio.Event()

    async def measure() -> None:
        while not is_ending.is_set():
            try:
                gauges.set(await run_shielded(partial(count_jobs, database)))
            except Exception:
                gauges.set(None)
                logger.exception("the jobs cannot be counted")
            with suppress(TimeoutError):
                await asyncio.wait_for(is_ending.wait(), INTERVAL_SECONDS)

    task = asyncio.create_task(measure())
    try:
        yield
    finally:
        # Not cancelled at once: a driver may swallow that in the middle of a statement.
        is_ending.set()
        await asyncio.wait({task}, timeout=END_SECONDS)
        task.cancel()
