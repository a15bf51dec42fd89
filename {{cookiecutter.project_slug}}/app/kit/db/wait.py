"""Wait for a database that may start later than the service."""

import logging
from time import monotonic, sleep

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.kit.db.dialect import dialect
from app.kit.db.engine import with_sync_connection
from app.kit.db.settings import DatabaseSettings
from app.kit.logging import describe

logger = logging.getLogger(__name__)


def wait_for_database(settings: DatabaseSettings) -> None:
    """Return when the database answers; raise ``SystemExit`` after a timeout."""
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
