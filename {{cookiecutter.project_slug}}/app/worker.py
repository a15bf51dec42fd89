"""Run jobs: ``python -m app.worker``, any number of them, on any machine."""

import asyncio
import logging
import os

from app.core.config import load_settings
from app.db.session import open_database
from app.jobs.kinds import KINDS
from app.kit.db.engine import call_from_async
from app.kit.errors import UnavailableError
from app.kit.jobs.procrastinate import create_procrastinate
from app.kit.jobs.worker import run_worker
from app.kit.logging import configure_logging

logger = logging.getLogger(__name__)


def main() -> None:
    """Work, and stop without waiting for threads: other workers run their jobs again."""
    configure_logging("INFO")  # until the settings are known
    try:
        asyncio.Runner().run(work())  # not closed: that would wait for the threads
    except SystemExit as error:
        logger.critical("%s", error)
        os._exit(1)
    os._exit(0)


async def work() -> None:
    """Work until SIGTERM or Ctrl+C; raise ``SystemExit`` if the database is not ready."""
    settings = load_settings()
    configure_logging(settings.log_level)
    # Its lines have neither the request id nor the kind of the job; those of app.kit.jobs have.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    database = open_database(settings)
    try:
        await call_from_async(database.ping)
        async with create_procrastinate(settings, database, KINDS).open_async() as app:
            await run_worker(app, settings, grace_seconds=settings.grace_seconds)
    except UnavailableError as error:
        raise SystemExit(f"The worker cannot start: {error}; run ./prestart.sh first.") from None
    finally:
        await call_from_async(database.close)


if __name__ == "__main__":
    main()
