"""Serve the queues of procrastinate until a signal, then shut down gracefully."""

import asyncio
import logging
import os
import signal

from procrastinate import App

from app.kit.db.url import is_transaction_pooler
from app.kit.jobs.procrastinate import MAINTENANCE
from app.kit.jobs.worker_settings import WorkerSettings

logger = logging.getLogger(__name__)

POLL_SECONDS = 2  # PostgreSQL notifies of new jobs, but not of retries
LAST_MOMENT_SECONDS = 28  # most hosts kill a process 30 s after they asked it to stop


async def run_worker(app: App, settings: WorkerSettings, *, grace_seconds: float) -> None:
    """Serve all queues until a signal; raise ``SystemExit`` if one of them stops by itself.

    Running jobs may finish within ``grace_seconds``; the others go back into the queue.
    """
    asked_to_stop = _stop_event()
    grace_seconds = longest_grace(settings, grace_seconds)
    sizes = {"cpu": 1, "io": settings.job_concurrency, MAINTENANCE: 1}
    queues = [
        asyncio.create_task(
            app.run_worker_async(
                queues=[queue],
                concurrency=size,
                install_signal_handlers=False,
                delete_jobs="always",  # the table of jobs says how they ended
                fetch_job_polling_interval=POLL_SECONDS,
                # LISTEN does not work through a transaction pooler.
                listen_notify=not is_transaction_pooler(settings.database_url),
                shutdown_graceful_timeout=grace_seconds,
                update_heartbeat_interval=settings.job_heartbeat_seconds,
                stalled_worker_timeout=settings.job_lost_seconds,
            )
        )
        for queue, size in sizes.items()
    ]
    waiting = asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait([*queues, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*queues, waiting):
        task.cancel()
    # The time of the jobs, and of the statement that stores their status.
    seconds = grace_seconds + settings.database_statement_seconds
    stopped, hanging = await asyncio.wait(queues, timeout=min(seconds, LAST_MOMENT_SECONDS))
    for queue in stopped:
        if not queue.cancelled() and (error := queue.exception()):
            logger.error("a queue failed", exc_info=error)
    if hanging:  # because the database hangs: closing its connections would hang, too
        logger.error("%d queues did not stop in time: exiting", len(hanging))
        os._exit(1)
    if not asked_to_stop.is_set():
        raise SystemExit("The worker stopped, because a queue failed: see the log.")


def _stop_event() -> asyncio.Event:
    """Return the event that SIGINT and SIGTERM set."""
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    return asked_to_stop


def longest_grace(settings: WorkerSettings, grace_seconds: float) -> float:
    """Return how long jobs may go on after a signal, in seconds.

    The queues send no heartbeats then: after a longer time, other workers would run the jobs again.
    """
    unnoticed_seconds = settings.job_lost_seconds - 2 * settings.job_heartbeat_seconds
    return min(grace_seconds, unnoticed_seconds)
