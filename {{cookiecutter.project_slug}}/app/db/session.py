"""Short units of work on one pool: ``read()``, ``single_statement()`` and ``transaction()``.

A unit holds one connection. Units wait for one in the order they came, for a bounded time, and
never nest: who held one while waiting for another would, under load, wait for itself.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async)|replace("asynccontext", cookiecutter.__asynccontext) %}
import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Self

from sqlalchemy.exc import DBAPIError

from app.core.config import Settings
from app.kit.db.engine import AsyncConnection, AsyncEngine, FairSemaphore, close_engine, open_engine
from app.kit.db.pool import Places
# {% if cookiecutter.database == "sqlite" %}
from app.kit.db.sqlite import (
    HAS_SCHEMA,
    connect_args,
    is_contradiction,
    is_missing_reference,
    is_unavailable,
    prepare,
)
# {% else %}
from app.kit.db.postgresql import (
    HAS_SCHEMA,
    connect_args,
    is_contradiction,
    is_missing_reference,
    is_unavailable,
)
# {% endif %}
from app.kit.errors import ConflictError, DomainError, MissingReferenceError, UnavailableError

logger = logging.getLogger(__name__)


class Unit:
    """Marks the time in which its task holds a connection."""

    __slots__ = ("is_open",)

    def __init__(self) -> None:
        self.is_open = True


_held: ContextVar[Unit | None] = ContextVar("held", default=None)


class Database:
    """The pool of one database and the three ways to use it."""

    def __init__(
        self,
        engine: AsyncEngine,
        connections: int,
        pool_size: int,
        wait_seconds: float,
    ) -> None:
        # {% if cookiecutter.database == "sqlite" %}
        prepare(engine)
        # {% endif %}
        self._engine = engine
        self._places = Places(engine, connections)
        self._turnstile = FairSemaphore(pool_size, wait_seconds)
        # {% if cookiecutter.database == "sqlite" %}
        # SQLite has one writer at a time; others must not hold the connections of readers.
        self._writers = FairSemaphore(1, wait_seconds)
        # {% else %}
        self._writers = self._turnstile
        # {% endif %}
        self._told_at = -1.0

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build the pool without connecting."""
        size = settings.database_pool_size
        # {% if cookiecutter.database == "sqlite" %}
        connections = size + 1  # for the readers and the writer
        # {% else %}
        connections = size
        # {% endif %}
        engine = open_engine(settings.database_url, connections, connect_args(settings))
        return cls(engine, connections, size, settings.database_wait_seconds)

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._places.clear()
        await close_engine(self._engine)

    async def ping(self) -> None:
        """Raise ``UnavailableError`` unless the database answers and has been migrated."""
        async with self.read() as connection:
            if await connection.scalar(HAS_SCHEMA) is None:
                raise UnavailableError("the database has no tables yet")

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Lend a connection without a transaction: each statement sees its own snapshot."""
        return self._unit(self._turnstile, autocommit=True)

    def single_statement(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Lend a connection to change something with one statement, a transaction in itself.

        That is one trip to the database, where ``transaction()`` takes three.
        """
        # {% if cookiecutter.database == "sqlite" %}
        # A single statement that is interrupted would keep the file locked.
        return self.transaction()
        # {% else %}
        return self._unit(self._turnstile, autocommit=True)
        # {% endif %}

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection in one transaction, committed on exit and rolled back on error."""
        async with self._unit(self._writers, autocommit=False) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def _unit(
        self,
        turnstile: FairSemaphore,
        *,
        autocommit: bool,
    ) -> AsyncGenerator[AsyncConnection]:
        held = _held.get()
        if held and held.is_open:
            raise RuntimeError("a unit of work is open here: use it instead of opening another")
        try:
            await turnstile.acquire()
        except TimeoutError as error:
            raise UnavailableError("too many requests wait for the database") from error
        unit = Unit()
        _held.set(unit)
        is_connected = False
        try:
            async with self._places.lend(autocommit=autocommit) as connection:
                is_connected = True
                yield connection
        except DBAPIError as error:
            if (meaning := self._meaning(error)) is None:
                raise
            raise meaning from error
        except OSError as error:
            # Once connected, only a time-out is about the database; others may be about a file.
            if is_connected and not isinstance(error, TimeoutError):
                raise
            raise self._lost(error) from error
        finally:
            unit.is_open = False
            turnstile.release()

    def _meaning(self, error: DBAPIError) -> DomainError | None:
        """Say what an error of the driver means to the caller; faults of ours mean nothing."""
        if is_contradiction(error):
            return _contradiction(error)
        if error.connection_invalidated or is_unavailable(error):
            return self._lost(error)
        return None

    def _lost(self, error: Exception) -> UnavailableError:
        """Log it, but not once for every request of an outage."""
        if monotonic() > self._told_at + 1:
            self._told_at = monotonic()
            logger.error("the database does not answer: %s", getattr(error, "orig", None) or error)
        return UnavailableError("the database does not answer")


def _contradiction(error: DBAPIError) -> DomainError:
    """Tell a reference to nothing from the other constraints, and from one that is still in use."""
    if is_missing_reference(error) and not (error.statement or "").startswith("DELETE"):
        return MissingReferenceError("it refers to something that does not exist")
    return ConflictError("it contradicts what is stored")


# {%- endfilter +%}
