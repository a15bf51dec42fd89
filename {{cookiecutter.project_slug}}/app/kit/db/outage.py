"""Log outages of the database."""

import logging
from time import monotonic

from app.kit.errors import UnavailableError
from app.kit.logging import describe

logger = logging.getLogger(__name__)

LOG_SECONDS = 1


class OutageLog:
    """Logs the reason of an outage once a second, not for every request."""

    def __init__(self) -> None:
        self._log_at = 0.0

    def unavailable(self, error: Exception) -> UnavailableError:
        """Log the error; return the error that tells the client to retry."""
        now = monotonic()
        if now >= self._log_at:
            self._log_at = now + LOG_SECONDS
            logger.error("the database does not answer: %s", describe(error))
        return UnavailableError("the database does not answer")
