"""Wait until the database answers: ``python -m app.backend_pre_start``."""

import logging
from time import monotonic, sleep

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.core.config import load_settings
from app.kit.db.engine import with_sync_connection
# {% if cookiecutter.database == "sqlite" %}
from app.kit.db.sqlite import connect_args
# {% else %}
from app.kit.db.postgresql import connect_args
# {% endif %}
from app.kit.logging import configure_logging

logger = logging.getLogger(__name__)


def main() -> None:
    """End well when the database answers, or with one sentence when the time is over."""
    settings = load_settings()
    configure_logging(settings.log_level)
    give_up_at = monotonic() + settings.database_start_seconds
    logger.info("waiting for the database")
    while True:
        try:
            with_sync_connection(settings.database_url, _ping, connect_args(settings))
        except (SQLAlchemyError, OSError) as error:
            if monotonic() >= give_up_at:
                reason = " ".join(str(getattr(error, "orig", None) or error).split())
                seconds = f"{settings.database_start_seconds:g}"
                raise SystemExit(f"The database did not answer in {seconds} s: {reason}") from None
            sleep(0.5)
        else:
            logger.info("the database answers")
            return


def _ping(connection: Connection) -> None:
    # {% if cookiecutter.database == "sqlite" %}
    # The file stays in this mode. Two that change it at once refuse each other and wait for nobody,
    # so it is done here, where that is tried again.
    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    # {% else %}
    connection.exec_driver_sql("SELECT 1")
    # {% endif %}


if __name__ == "__main__":
    main()
