"""Wait until the database answers: ``python -m app.backend_pre_start``."""

import logging
from time import monotonic, sleep

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.core.config import load_settings
from app.kit.db.dialect import dialect
from app.kit.db.engine import with_sync_connection
from app.kit.logging import configure_logging, describe, run_logged

logger = logging.getLogger(__name__)


def main() -> None:
    """Return when the database answers, or end the process with one sentence after a time."""
    settings = load_settings()
    configure_logging(settings.log_level)
    give_up_at = monotonic() + settings.database_start_seconds
    logger.info("waiting for the database")
    while True:
        try:
            with_sync_connection(settings.database_url, _ping, dialect.connect_args(settings))
        except (SQLAlchemyError, OSError) as error:
            if monotonic() >= give_up_at:
                reason = describe(getattr(error, "orig", None) or error)
                seconds = f"{settings.database_start_seconds:g}"
                raise SystemExit(f"The database did not answer in {seconds} s: {reason}") from None
            sleep(0.5)
        else:
            logger.info("the database answers")
            return


def _ping(connection: Connection) -> None:
    connection.exec_driver_sql(dialect.FIRST_STATEMENT)


if __name__ == "__main__":
    run_logged(main)
