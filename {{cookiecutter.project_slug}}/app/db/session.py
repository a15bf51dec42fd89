"""Short units of work on one pool: ``read()`` and ``write()``.

A unit holds one connection. Units wait for one in the order they came, for a bounded time, and
never nest: who held one while waiting for another would, under load, wait for itself.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async)|replace("asynccontext", cookiecutter.__asynccontext) %}
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Self

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from app.core.config import Settings
from app.core.errors import ConflictError, DomainError, MissingReferenceError, UnavailableError
from app.db.engine import AsyncConnection, AsyncEngine, Turnstile, open_engine
# {% if cookiecutter.database == "sqlite" %}
from app.db.sqlite import connect_args, prepare
# {% else %}
from app.db.postgresql import connect_args, prepare
# {% endif %}

logger = logging.getLogger(__name__)


class Unit:
    """Marks the time in which its task holds a connection."""

    __slots__ = ("is_open",)

    def __init__(self) -> None:
        self.is_open = True


_held: ContextVar[Unit | None] = ContextVar("held", default=None)


class Database:
    """The pool of one database and the two ways to use it."""

    def __init__(self, engine: AsyncEngine, turnstile: Turnstile) -> None:
        prepare(engine)
        self._engine = engine
        self._reads = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turnstile = turnstile

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build the pool without connecting."""
        size = settings.database_pool_size
        engine = open_engine(settings.database_url, size, connect_args(settings))
        return cls(engine, Turnstile(size, settings.database_wait_seconds))

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._engine.dispose()

    async def ping(self) -> None:
        """Ask the database for an answer; raise ``UnavailableError``."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection without a transaction: each statement sees its own snapshot."""
        async with self._unit(self._reads) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection in one transaction, committed on exit and rolled back on error."""
        async with self._unit(self._engine) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def _unit(self, engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
        held = _held.get()
        if held and held.is_open:
            raise RuntimeError("a unit of work is open here: use it instead of opening another")
        try:
            await self._turnstile.acquire()
        except TimeoutError as error:
            raise UnavailableError("too many requests wait for the database") from error
        unit = Unit()
        _held.set(unit)
        is_connected = False
        try:
            async with engine.connect() as connection:
                is_connected = True
                yield connection
        except DBAPIError as error:
            raise _translated(error) from error
        except OSError as error:
            if is_connected:  # then it is about something else, a file perhaps
                raise
            raise _lost(error) from error
        finally:
            unit.is_open = False
            self._turnstile.release()


# {% endfilter %}
def _translated(error: DBAPIError) -> Exception:
    """Say what an error of the driver means to the caller; faults of ours stay what they are."""
    if isinstance(error, IntegrityError):
        return _contradiction(error)
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return _lost(error)
    return error


def _contradiction(error: IntegrityError) -> DomainError:
    """Tell a missing reference from the other constraints; only the drivers know."""
    # {% if cookiecutter.database == "sqlite" %}
    is_reference = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_FOREIGNKEY"
    # {% else %}
    is_reference = getattr(error.orig, "sqlstate", "") == "23503"
    # {% endif %}
    if is_reference and not (error.statement or "").startswith("DELETE"):
        return MissingReferenceError("it refers to something that does not exist")
    return ConflictError("it contradicts what is stored")


def _lost(error: Exception) -> UnavailableError:
    logger.error("the database does not answer: %s", getattr(error, "orig", None) or error)
    return UnavailableError("the database does not answer")
