"""Fill a new database: ``python -m app.initial_data``."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import logging

from app.core.config import load_settings
from app.db.init_db import init_db
from app.db.session import open_database
from app.kit.db.engine import run_main
from app.kit.errors import ConflictError, UnavailableError
from app.kit.logging import configure_logging, run_logged

logger = logging.getLogger(__name__)


async def main() -> None:
    """Add the first superuser, and sample data in ``local``."""
    settings = load_settings()
    configure_logging(settings.log_level)
    database = open_database(settings)
    try:
        await init_db(database, settings)
    except ConflictError:
        logger.info("another process has added the initial data")
    except (UnavailableError, ValueError) as error:
        raise SystemExit(f"The initial data could not be stored: {error}") from None
    finally:
        await database.close()
    logger.info("the initial data are in the database")


if __name__ == "__main__":
    run_logged(lambda: run_main(main))

# {%- endfilter +%}
