"""Run migrations on PostgreSQL: one process at a time, without blocking requests for long."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import sleep
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from app.kit.db.migrations.postgresql_review import review
from app.kit.db.settings import DatabaseSettings

logger = logging.getLogger(__name__)

DIALECT = "postgresql"
# {% if cookiecutter.__driver == "psycopg" %}
CONNECT_ARGS: dict[str, object] = {"prepare_threshold": None}  # for transaction poolers
# {% else %}
CONNECT_ARGS: dict[str, object] = {}
# {% endif %}
# One transaction per revision: CREATE INDEX CONCURRENTLY must end it, and before PostgreSQL 17 a
# new value of an enum cannot be used in the transaction that adds it.
OPTIONS: dict[str, Any] = {
    "process_revision_directives": review,
    "transaction_per_migration": True,
}
LOCK = 8001
POLL_SECONDS = 0.2
ATTEMPTS = 5
PAUSE_SECONDS = 2
LOCK_NOT_AVAILABLE = "55P03"
TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)").bindparams(key=LOCK)
# Sessions that hold locks on tables of the statement, since before it began.
BLOCKERS = text("""
SELECT format('process %s (user %s, application "%s", %s%s)', pid, usename, application_name,
    coalesce(state, 'of another user'),
    ' for ' || date_trunc('second', clock_timestamp() - state_change))
FROM pg_stat_activity AS activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND coalesce(xact_start < clock_timestamp() - make_interval(secs => :seconds), true)
    AND EXISTS (
        SELECT FROM pg_locks JOIN pg_class ON pg_class.oid = relation
        WHERE pg_locks.pid = activity.pid AND granted AND strpos(:statement, relname) > 0
    )
ORDER BY xact_start LIMIT 3
""")


def migrate(connection: Connection, settings: DatabaseSettings) -> None:
    """Run Alembic's command; raise ``CommandError`` if a lock cannot be acquired.

    A statement that waits for a table's lock blocks all later requests for that table. So it waits
    briefly, and its revision is retried.
    """
    lock_seconds = settings.migration_lock_seconds
    event.listen(connection, "begin", _bound_locks(lock_seconds))
    with _only_process(connection.engine):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return context.run_migrations()
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                    raise
                _report(connection, error.statement or "", lock_seconds, attempt)
            sleep(PAUSE_SECONDS * attempt)
    raise CommandError(
        "the migration could not acquire its locks: end the sessions that the log names, "
        "or raise MIGRATION_LOCK_SECONDS"
    )


@contextmanager
def _only_process(engine: Engine) -> Generator[None]:
    """Hold the lock of migrations; wait until no other process has it.

    The lock belongs to a separate transaction: a session's lock would be lost behind a transaction
    pooler. The lock is polled: a waiting statement and CREATE INDEX CONCURRENTLY of the other
    process would wait for each other.
    """
    with engine.connect() as guard:
        if not guard.scalar(TRY_LOCK):
            logger.warning("waiting for the migration lock: another process is migrating")
            guard.rollback()
            while not guard.scalar(TRY_LOCK):
                guard.rollback()
                sleep(POLL_SECONDS)
        guard.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


def _bound_locks(seconds: float) -> Callable[[Connection], None]:
    """Return a listener that sets the lock timeout of each transaction."""

    def bound(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(seconds * 1000)}")

    return bound


def _report(connection: Connection, statement: str, seconds: float, attempt: int) -> None:
    values = {"statement": statement, "seconds": seconds}
    blockers = ", ".join(connection.scalars(BLOCKERS, values)) or "a session that has ended"
    connection.rollback()
    logger.warning(
        "attempt %d of %d: lock timeout after %g s, blocked by %s; statement: %s",
        attempt,
        ATTEMPTS,
        seconds,
        blockers,
        " ".join(statement.split()),
    )
