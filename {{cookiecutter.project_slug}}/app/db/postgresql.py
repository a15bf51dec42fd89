"""PostgreSQL over a network that cuts connections, and servers that restart."""

# {% filter replace("Async", cookiecutter.__Async)|replace("engine.sync_engine", "engine.sync_engine" if cookiecutter.async_db else "engine")|replace("connection.driver_connection", "connection.driver_connection" if cookiecutter.async_db else "connection") %}
# {% if cookiecutter.__driver == "psycopg" %}
import select
# {% endif %}
# {% if cookiecutter.__driver == "psycopg" and cookiecutter.async_db %}
from functools import partial
# {% endif %}
from time import monotonic

from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.config import Settings
# {% if cookiecutter.__driver == "psycopg" and cookiecutter.async_db %}
from app.db.bounded_connection import connect
# {% endif %}
from app.db.engine import AsyncEngine

# {% if cookiecutter.job_queue == "procrastinate" %}
# Without its queue the service could not accept jobs; that nobody works them off is no reason.
HAS_SCHEMA = text(
    "SELECT to_regclass('alembic_version') WHERE to_regproc('procrastinate_defer_jobs_v1') IS NOT NULL"
)
# {% else %}
HAS_SCHEMA = text("SELECT to_regclass('alembic_version')")
# {% endif %}
# A ping before every use costs 8 % of the throughput; a connection in use is known to be alive.
IDLE_SECONDS = 1.0
# Lost connections, deadlocks, too few resources, and servers that start, stop or time out:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
UNAVAILABLE = ("08", "40", "53", "57")
FOREIGN_KEY_VIOLATION = "23503"
READING = {"isolation_level": "AUTOCOMMIT"}  # neither BEGIN nor ROLLBACK, two ways to the server


# {% if cookiecutter.__driver == "asyncpg" %}
def connect_args(settings: Settings) -> dict[str, object]:
    """Bound the time to connect and the time of a statement."""
    return {
        "timeout": settings.database_connect_seconds,
        "command_timeout": settings.database_statement_seconds,
    }


# {% else %}
def parameters(settings: Settings) -> dict[str, object]:
    """Let libpq and the server bound the time to connect and the time of a statement."""
    milliseconds = round(settings.database_statement_seconds * 1000)
    return {
        "connect_timeout": max(1, round(settings.database_connect_seconds)),
        "options": f"-c statement_timeout={milliseconds}",
        # For a server that does not even acknowledge what it is sent.
        "tcp_user_timeout": milliseconds,
    }


def connect_args(settings: Settings) -> dict[str, object]:
    """Say how the pool connects."""
    # {% if cookiecutter.async_db %}
    creator = partial(connect, settings.database_statement_seconds)
    return {**parameters(settings), "async_creator_fn": creator}
    # {% else %}
    return parameters(settings)
    # {% endif %}


# {% endif %}
def prepare(engine: AsyncEngine) -> None:
    """Ping connections that were idle, and replace those that the server or the network cut."""
    dialect = engine.sync_engine.dialect

    def checkin(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = monotonic()

    def checkout(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        idle_since = entry.info.get("idle_since")
        if idle_since is None:
            return
        if monotonic() - idle_since < IDLE_SECONDS and not _is_cut(connection):
            return
        try:
            dialect.do_ping(connection)
        except (dialect.loaded_dbapi.Error, OSError) as error:
            raise DisconnectionError from error

    event.listen(engine.sync_engine, "checkin", checkin)
    event.listen(engine.sync_engine, "checkout", checkout)


# {% if cookiecutter.__driver == "asyncpg" %}
def _is_cut(connection: DBAPIConnection) -> bool:
    """Tell whether the event loop has seen the end of the connection."""
    return connection.driver_connection.is_closed()


# {% else %}
def _is_cut(connection: DBAPIConnection) -> bool:
    """Tell whether the server has said something unasked: most likely that it leaves."""
    poll = select.poll()
    poll.register(connection.driver_connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


# {% endif %}
# {% endfilter %}
def is_unavailable(error: DBAPIError) -> bool:
    """Tell whether the same statement may succeed later."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the driver's own errors: it cannot connect, or its connection is gone
        return isinstance(error, OperationalError | InterfaceError)
    return state.startswith(UNAVAILABLE)


def is_missing_reference(error: DBAPIError) -> bool:
    """Tell whether a foreign key found nothing."""
    return getattr(error.orig, "sqlstate", None) == FOREIGN_KEY_VIOLATION
