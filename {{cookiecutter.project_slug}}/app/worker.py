"""Run jobs: ``python -m app.worker``. Start any number of workers, on any machine."""

import asyncio
import logging
import os
# {% if cookiecutter.telemetry %}
from functools import partial
# {% endif %}

from app.core.config import load_settings
# {% if cookiecutter.telemetry %}
from app.core.telemetry import create_telemetry
# {% endif %}
from app.db.session import open_database
from app.jobs.kinds import KINDS
from app.kit.db.engine import call_from_async
from app.kit.errors import UnavailableError
# {% if not cookiecutter.telemetry %}
from app.kit.jobs.procrastinate import open_queue
# {% endif %}
from app.kit.jobs.worker import run_worker
from app.kit.logging import configure_logging
# {% if cookiecutter.telemetry %}
from app.kit.telemetry.worker import open_traced_queue
# {% endif %}

logger = logging.getLogger(__name__)
# {% if cookiecutter.telemetry %}
open_queue = partial(open_traced_queue, create_telemetry)
# {% endif %}


def main() -> None:
    """Run jobs; exit without waiting for threads, because other workers run their jobs again."""
    configure_logging("INFO")  # until the settings are known
    try:
        asyncio.Runner().run(work())  # not closed: closing waits for the threads
    except SystemExit as error:
        logger.critical("%s", error)
        os._exit(1)
    os._exit(0)


async def work() -> None:
    """Run jobs until SIGTERM or Ctrl+C; raise ``SystemExit`` if the database is not ready."""
    settings = load_settings()
    configure_logging(settings.log_level)
    # Its lines lack the request id and the kind of the job; app.kit.jobs logs both.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    database = open_database(settings)
    try:
        await call_from_async(database.ping)
        async with open_queue(settings, database, KINDS) as app:
            await run_worker(app, settings, grace_seconds=settings.grace_seconds)
    except UnavailableError as error:
        raise SystemExit(f"The worker cannot start: {error}; run ./prestart.sh first.") from None
    finally:
        await call_from_async(database.close)


if __name__ == "__main__":
    main()
