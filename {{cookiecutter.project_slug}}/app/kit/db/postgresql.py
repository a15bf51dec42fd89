"""PostgreSQL: options of connections, and what the errors mean."""

import re
# {% if cookiecutter.__driver == "psycopg" %}
import select
# {% endif %}
# {% if cookiecutter.__driver == "psycopg" and cookiecutter.async_db %}
from functools import partial
# {% endif %}
from typing import Any, NamedTuple

# {% if cookiecutter.__driver == "asyncpg" %}
from asyncpg import Connection as Driver
from asyncpg import InternalClientError
# {% else %}
from psycopg import BaseConnection as Driver
from psycopg import Error
from psycopg.pq import TransactionStatus
# {% endif %}
from sqlalchemy import ColumnElement, Function, String, func, text
from sqlalchemy.orm import InstrumentedAttribute

# {% if cookiecutter.__driver == "psycopg" and cookiecutter.async_db %}
from app.kit.db.bounded_connection import connect
# {% endif %}
from app.kit.db.settings import DatabaseSettings
from app.kit.db.url import is_transaction_pooler

FIRST_STATEMENT = "SELECT 1"
ONE_WRITER: bool = False
# After that, the pool pings an idle connection, which a network may have cut: 8 % of a read.
IDLE_SECONDS = 1.0
READINESS = text(
    "SELECT current_setting('transaction_read_only') = 'on' AS is_read_only "
    "WHERE to_regclass('alembic_version') IS NOT NULL"
    # {% if cookiecutter.job_queue == "procrastinate" %}
    # Without its queue the service cannot accept jobs; without a worker it can.
    " AND to_regproc('procrastinate_defer_jobs_v1') IS NOT NULL"
    # {% endif %}
)
# https://www.postgresql.org/docs/current/errcodes-appendix.html
# This connection is unusable: it is lost (08), the server has become a replica (25006) or ends the
# session (25P03, 25P04, 57P), prepared statements are inconsistent (26000, 42P05), or the session
# refers to objects that no longer exist, such as a type that was dropped and recreated (XX).
SESSION_LOST = ("08", "25006", "25P03", "25P04", "26000", "42P05", "57P", "XX")
# As above without XX, which is a bug of the service or the server; also deadlocks (40), too few
# resources (53), and timeouts of locks (55P03) and statements (57014).
UNAVAILABLE = ("08", "25006", "25P03", "25P04", "26000", "40", "42P05", "53", "55P03", "57")
FOREIGN_KEY_VIOLATION = "23503"
# Also unique and exclusion constraints. Others concern only one row: a bug of the service.
CONFLICTS = {FOREIGN_KEY_VIOLATION, "23505", "23P01"}


class ServerError(NamedTuple):
    """The server's fields of an error; all are empty if the server did not raise it."""

    sqlstate: str
    function: str
    detail: str

    @property
    def is_stale_plan(self) -> bool:
        """Whether a prepared statement returns other types than when it was prepared.

        Other errors have the same SQLSTATE, and PostgreSQL translates the message.
        """
        return self.sqlstate == "0A000" and self.function == "RevalidateCachedQuery"


# {% if cookiecutter.__driver == "asyncpg" %}
def connect_args(settings: DatabaseSettings) -> dict[str, object]:
    """Return the timeouts of connecting and of a statement."""
    return {
        "timeout": settings.database_connect_seconds,
        "command_timeout": settings.database_statement_seconds,
    }


# {% else %}
def parameters(settings: DatabaseSettings) -> dict[str, object]:
    """Return libpq's parameters: keepalives, and timeouts of connecting and of a statement."""
    milliseconds = round(settings.database_statement_seconds * 1000)
    return {
        "connect_timeout": max(1, round(settings.database_connect_seconds)),
        **_session(settings, milliseconds),
        # For a server that does not acknowledge what it is sent.
        "tcp_user_timeout": milliseconds,
        # For a server that is gone: the system would notice only after two hours.
        "keepalives_idle": max(1, round(settings.database_statement_seconds)),
        "keepalives_interval": 1,
    }


def _session(settings: DatabaseSettings, milliseconds: int) -> dict[str, object]:
    """Return the options of a session; behind a transaction pooler there are no sessions."""
    if is_transaction_pooler(settings.database_url):
        return {"prepare_threshold": None}
    options = " ".join(settings.database_url.normalized_query.get("options", ()))
    return {"options": f"{options} -c statement_timeout={milliseconds}"}


# {% endif %}
# {% if cookiecutter.__driver == "psycopg" and cookiecutter.async_db %}
def connect_args(settings: DatabaseSettings) -> dict[str, object]:
    """Return how to connect."""
    creator = partial(connect, settings.database_statement_seconds)
    return {**parameters(settings), "async_creator_fn": creator}


# {% elif cookiecutter.__driver == "psycopg" %}
def connect_args(settings: DatabaseSettings) -> dict[str, object]:
    """Return how to connect."""
    return parameters(settings)


# {% endif %}
def engine_options(settings: DatabaseSettings) -> dict[str, Any]:
    """Return the options of the pool's engine."""
    return {"connect_args": connect_args(settings), "isolation_level": "AUTOCOMMIT"}


def begin_statement(settings: DatabaseSettings) -> str:
    """Return the statement that begins a transaction; behind a pooler, it sets the timeout."""
    if not is_transaction_pooler(settings.database_url):
        return "BEGIN"
    milliseconds = round(settings.database_statement_seconds * 1000)
    return f"BEGIN; SET LOCAL statement_timeout = {milliseconds}"


def only_transactions(settings: DatabaseSettings) -> bool:
    """Return whether reads also need a transaction."""
    return is_transaction_pooler(settings.database_url)


def on_connect(_connection: object, _record: object) -> None:
    """Leave a new connection as it is."""


def fold_case(value: ColumnElement[str] | InstrumentedAttribute[str]) -> Function[str]:
    """Return an expression for comparisons that ignore case."""
    return func.lower(value, type_=String)


# {% if cookiecutter.__driver == "asyncpg" %}
def is_open(driver: Driver) -> bool:
    """Return whether the connection is open, as far as the event loop knows."""
    return not driver.is_closed()


def is_idle(driver: Driver) -> bool:
    """Return whether no transaction is open."""
    return not driver.is_in_transaction()


def server_error(error: Exception) -> ServerError:
    """Return the server's fields of an error; SQLAlchemy wraps the driver's errors."""
    cause = error.__cause__
    names = ("sqlstate", "server_source_function", "detail")
    return ServerError(*(getattr(cause, name, None) or "" for name in names))


def is_confused(error: Exception) -> bool:
    """Return whether the driver has lost track of the protocol."""
    return isinstance(error.__cause__, InternalClientError)


# {% else %}
def is_open(driver: Driver[Any]) -> bool:
    """Return whether the server sent nothing, such as its shutdown, since the last statement."""
    if driver.closed:
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return not poll.poll(0)


def is_idle(driver: Driver[Any]) -> bool:
    """Return whether no transaction is open and no statement runs."""
    return driver.pgconn.transaction_status == TransactionStatus.IDLE


def server_error(error: Exception) -> ServerError:
    """Return the server's fields of an error."""
    if not isinstance(error, Error):
        return ServerError("", "", "")
    diag = error.diag
    return ServerError(error.sqlstate or "", diag.source_function or "", diag.message_detail or "")


def is_confused(_error: Exception) -> bool:
    """Return False: if the driver loses track of the protocol, it closes the connection."""
    return False


# {% endif %}
def is_session_lost(error: Exception) -> bool:
    """Return whether this connection is unusable, but a new one may work."""
    server = server_error(error)
    is_lost = server.sqlstate.startswith(SESSION_LOST) or server.is_stale_plan
    return is_lost or is_confused(error)


def is_unavailable(error: Exception) -> bool:
    """Return whether the same statement may succeed later, on another connection."""
    server = server_error(error)
    return server.sqlstate.startswith(UNAVAILABLE) or server.is_stale_plan


def is_conflict(error: Exception) -> bool:
    """Return whether a row conflicts with others."""
    return server_error(error).sqlstate in CONFLICTS


def is_missing_reference(error: Exception) -> bool:
    """Return whether a foreign key refers to a missing row."""
    return server_error(error).sqlstate == FOREIGN_KEY_VIOLATION


def conflicting_columns(error: Exception) -> list[str]:
    """Return the columns that the server names, as in "Key (email)=(ada@example.com) exists"."""
    found = re.search(r"\(([\w, ]+)\)=\(", server_error(error).detail)
    return found[1].split(", ") if found else []
