"""Run jobs: ``python -m app.worker``, any number of them, on any machine."""

import asyncio
import logging
import os
import signal
import sys

from procrastinate import App

from app.core.config import Settings, load_settings
from app.db.session import Database
from app.kit.db.engine import call_from_async
from app.kit.errors import UnavailableError
from app.kit.jobs.procrastinate import UPKEEP, open_queue
from app.kit.logging import configure_logging

logger = logging.getLogger(__name__)

POLL_SECONDS = 2  # new jobs are announced; those that are tried again are not
LAST_MOMENT_SECONDS = 28  # most hosts kill a process 30 s after they asked it to stop


def run() -> None:
    """Work, and leave without waiting for threads: others begin the jobs that these go on with."""
    try:
        asyncio.Runner().run(main())  # which is not closed: it would wait for some of them
    except SystemExit as error:
        sys.stderr.write(f"{error}\n")
        os._exit(1)
    os._exit(0)


async def main() -> None:
    """Work until SIGTERM or Ctrl+C, then let jobs finish; the rest goes back into the queue."""
    settings = load_settings()
    configure_logging(settings.log_level)
    # Its lines know neither the request nor the kind of job; ours do.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    database = Database.from_settings(settings)
    try:
        await call_from_async(database.ping)
        async with open_queue(settings, database).open_async() as queue:
            await work(queue, settings)
    except UnavailableError as error:
        said = f"The worker cannot start: {error}; run ./prestart.sh first."
        raise SystemExit(said) from None
    finally:
        await call_from_async(database.close)


async def work(queue: App, settings: Settings) -> None:
    """Serve all lanes until a signal; raise ``SystemExit`` if one of them ends by itself."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    sizes = {"processor": 1, "waiting": settings.job_concurrency, UPKEEP: 1}
    lanes = [
        asyncio.create_task(
            queue.run_worker_async(
                queues=[lane],
                concurrency=size,
                install_signal_handlers=False,
                delete_jobs="always",  # what became of them is in our own table
                fetch_job_polling_interval=POLL_SECONDS,
                shutdown_graceful_timeout=longest_stop(settings),
                update_heartbeat_interval=settings.job_heartbeat_seconds,
                stalled_worker_timeout=settings.job_lost_seconds,
            )
        )
        for lane, size in sizes.items()
    ]
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait([*lanes, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*lanes, waiting):
        task.cancel()
    # Each job gets its time, and a statement that says how it ended.
    seconds = longest_stop(settings) + settings.database_statement_seconds
    ended, hanging = await asyncio.wait(lanes, timeout=min(seconds, LAST_MOMENT_SECONDS))
    for lane in ended:
        if not lane.cancelled() and (error := lane.exception()):
            logger.error("a lane has ended", exc_info=error)
    if hanging:  # on the database, on which closing its connections would hang, too
        logger.error("%d lanes do not end", len(hanging))
        os._exit(1)
    if not asked.is_set():
        raise SystemExit("The worker cannot go on; its log says why.")


def longest_stop(settings: Settings) -> float:
    """Return how many seconds jobs may go on after a signal: their lanes give no sign of life then.

    Other workers would take them for lost, and run them a second time at once.
    """
    heard_within = settings.job_lost_seconds - 2 * settings.job_heartbeat_seconds
    return min(settings.grace_seconds, heard_within)


if __name__ == "__main__":
    run()
