"""The address of the database, as hosting providers hand it out."""

# {% if cookiecutter.database == "sqlite" %}
import sqlite3
# {% endif %}
from typing import Annotated

# {% if cookiecutter.__driver == "psycopg" %}
from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo
# {% endif %}
from pydantic import PlainValidator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

BACKEND = "{{ cookiecutter.database }}"
DRIVER = "{{ cookiecutter.__driver }}"
# {% if cookiecutter.database == "sqlite" %}
BACKENDS = {BACKEND}
OLDEST_SQLITE = (3, 35)  # the first with RETURNING
# {% else %}
BACKENDS = {BACKEND, "postgres"}
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
# Says that a pooler in transaction mode is in front of the server.
POOLER = "pgbouncer"
# Parameters that hosting providers add for other libraries, and the setting to use instead.
INSTEAD = {
    "connection_limit": "set DATABASE_POOL_SIZE",
    "pool_timeout": "set DATABASE_WAIT_SECONDS",
}
# {% endif %}
# {% if cookiecutter.__driver == "asyncpg" %}
# Parameters that asyncpg handles in its own way, or that the service sets itself.
NOT_FOR_ASYNCPG = ["sslmode", "channel_binding", "connect_timeout", "application_name"]
ASYNCPG = {"host", "port", "ssl", "target_session_attrs"}
# {% endif %}


def name_driver(value: str | URL) -> URL:
    """Return the URL with the installed driver; raise ``ValueError`` if it does not fit."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError(f"must be a URL such as {BACKEND}://...") from None
    name, _, driver = url.drivername.partition("+")
    if name not in BACKENDS:
        raise ValueError(f"this service supports {BACKEND}, not {name}")
    if driver not in {"", DRIVER}:
        raise ValueError(f"remove the driver {driver}: this service uses {DRIVER}")
    return _checked(url).set(drivername=f"{BACKEND}+{DRIVER}")


# {% if cookiecutter.database == "sqlite" %}
def _checked(url: URL) -> URL:
    """Refuse an old SQLite, and a database in memory: each connection would have its own."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise ValueError(
            f"this service needs SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer, "
            f"but this Python has {sqlite3.sqlite_version}"
        )
    if url.database in {None, "", ":memory:"}:
        raise ValueError("must name a file, for example sqlite:///./app.db")
    return url


def driver_url(url: URL) -> URL:
    """Return the URL as the driver takes it."""
    return url


# {% elif cookiecutter.__driver == "asyncpg" %}
def _checked(url: URL) -> URL:
    """Translate libpq's parameters, and refuse unknown ones."""
    _check_parameters(url)
    if is_transaction_pooler(url):
        raise ValueError(
            "asyncpg does not support a pooler in transaction mode: set the pooler to session mode "
            "and remove pgbouncer=true"
        )
    mode = url.query.get("sslmode")
    url = url.difference_update_query([POOLER, *NOT_FOR_ASYNCPG])
    for parameter in url.query:
        if parameter not in ASYNCPG:
            raise ValueError(f"{DRIVER} does not support the parameter {parameter}")
    return url if mode is None else url.update_query_dict({"ssl": mode})


# {% else %}
def _checked(url: URL) -> URL:
    """Refuse unknown parameters."""
    _check_parameters(url)
    if is_transaction_pooler(url) and "options" in url.query:
        raise ValueError(
            "a pooler in transaction mode does not support options: use ALTER ROLE ... SET"
        )
    for parameter in driver_url(url).query:
        try:
            make_conninfo("", **{parameter: ""})
        except ProgrammingError:
            raise ValueError(f"{DRIVER} does not support the parameter {parameter}") from None
    return url


# {% endif %}
# {% if cookiecutter.database == "postgresql" %}
def _check_parameters(url: URL) -> None:
    """Refuse values and parameters that would have no effect."""
    if url.query.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(sorted(SSL_MODES))}")
    if url.query.get(POOLER, "true") not in {"true", "false"}:
        raise ValueError(f"{POOLER} must be true or false")
    for parameter, advice in INSTEAD.items():
        if parameter in url.query:
            raise ValueError(f"remove the parameter {parameter} and {advice}")


def is_transaction_pooler(url: URL) -> bool:
    """Return whether a pooler in transaction mode is in front of the server."""
    return url.query.get(POOLER) == "true"


def driver_url(url: URL) -> URL:
    """Return the URL without the parameter that is not for the driver."""
    return url.difference_update_query([POOLER])


# {% endif %}
DatabaseUrl = Annotated[URL, PlainValidator(name_driver)]
