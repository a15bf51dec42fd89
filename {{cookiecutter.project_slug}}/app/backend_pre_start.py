"""Wait until the database answers: ``python -m app.backend_pre_start``."""

from app.core.config import load_settings
from app.kit.db.wait import wait_for_database
from app.kit.logging import configure_logging, run_logged


def main() -> None:
    """Return when the database answers."""
    settings = load_settings()
    configure_logging(settings.log_level)
    wait_for_database(settings)


if __name__ == "__main__":
    run_logged(main)
