"""PostgreSQL over a network that cuts connections, and servers that restart."""

# {% if cookiecutter.__driver == "psycopg" %}
import select
# {% endif %}
# {% if cookiecutter.__driver == "psycopg" and cookiecutter.async_db %}
from functools import partial

# {% elif cookiecutter.__driver == "psycopg" %}

# {% endif %}
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection

# {% if cookiecutter.__driver == "psycopg" and cookiecutter.async_db %}
from app.kit.db.bounded_connection import connect
# {% endif %}
from app.kit.db.settings import DatabaseSettings

# {% if cookiecutter.job_queue == "procrastinate" %}
# Without its queue the service could not accept jobs; that nobody works them off is no reason.
HAS_SCHEMA = text(
    "SELECT to_regclass('alembic_version') WHERE to_regproc('procrastinate_defer_jobs_v1') IS NOT NULL"
)
# {% else %}
HAS_SCHEMA = text("SELECT to_regclass('alembic_version')")
# {% endif %}
# After that, a network may have cut it without a word, and the pool must ping it: 8 % of a read.
IDLE_SECONDS = 1.0
# Lost connections, deadlocks, too few resources, and servers that start, stop or time out:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
UNAVAILABLE = ("08", "40", "53", "57")
FOREIGN_KEY_VIOLATION = "23503"
# With unique and exclusion constraints. The others are about one row, and a fault of ours.
CONTRADICTIONS = {FOREIGN_KEY_VIOLATION, "23505", "23P01"}
AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT"}


# {% if cookiecutter.__driver == "asyncpg" %}
def connect_args(settings: DatabaseSettings) -> dict[str, object]:
    """Bound the time to connect and the time of a statement."""
    return {
        "timeout": settings.database_connect_seconds,
        "command_timeout": settings.database_statement_seconds,
    }


# {% else %}
def parameters(settings: DatabaseSettings) -> dict[str, object]:
    """Let libpq and the server bound the time to connect and the time of a statement."""
    milliseconds = round(settings.database_statement_seconds * 1000)
    options = " ".join(settings.database_url.normalized_query.get("options", ()))
    return {
        "connect_timeout": max(1, round(settings.database_connect_seconds)),
        "options": f"{options} -c statement_timeout={milliseconds}",
        # For a server that does not even acknowledge what it is sent.
        "tcp_user_timeout": milliseconds,
        # For one that is gone while it is waited for: the system would ask only after two hours.
        "keepalives_idle": max(1, round(settings.database_statement_seconds)),
        "keepalives_interval": 1,
    }


def connect_args(settings: DatabaseSettings) -> dict[str, object]:
    """Say how the pool connects."""
    # {% if cookiecutter.async_db %}
    creator = partial(connect, settings.database_statement_seconds)
    return {**parameters(settings), "async_creator_fn": creator}
    # {% else %}
    return parameters(settings)
    # {% endif %}


# {% endif %}
# {% if cookiecutter.__driver == "asyncpg" %}
def is_usable(connection: PoolProxiedConnection, idle_seconds: float) -> bool:
    """Tell whether it was just used, and the event loop has not seen its end since."""
    driver = connection.driver_connection
    return driver is not None and idle_seconds < IDLE_SECONDS and not driver.is_closed()


# {% else %}
def is_usable(connection: PoolProxiedConnection, idle_seconds: float) -> bool:
    """Tell whether it was just used, and the server has said nothing since: that it leaves."""
    driver = connection.driver_connection
    if driver is None or driver.closed or idle_seconds >= IDLE_SECONDS:
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return not poll.poll(0)


# {% endif %}
def is_unavailable(error: DBAPIError) -> bool:
    """Tell whether the same statement may succeed later."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the driver's own errors: it cannot connect, or its connection is gone
        return isinstance(error, OperationalError | InterfaceError)
    return state.startswith(UNAVAILABLE)


def is_contradiction(error: DBAPIError) -> bool:
    """Tell whether a row contradicts others."""
    return getattr(error.orig, "sqlstate", None) in CONTRADICTIONS


def is_missing_reference(error: DBAPIError) -> bool:
    """Tell whether a foreign key found nothing."""
    return getattr(error.orig, "sqlstate", None) == FOREIGN_KEY_VIOLATION
