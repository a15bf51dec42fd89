"""Access to the database: ``read()``, ``single_statement()`` and ``transaction()``.

Each holds one connection. Callers wait for it first come, first served, for a bounded time, and
must not nest them.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async)|replace("asynccontext", cookiecutter.__asynccontext)|replace("__ae", cookiecutter.__ae)|replace("engine.sync_engine", cookiecutter.__sync_engine) %}
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeAlias

from sqlalchemy import CursorResult, Executable, event
from sqlalchemy.engine import ExceptionContext

from app.kit.db.dialect import dialect
from app.kit.db.engine import AsyncConnection, AsyncEngine, open_engine
from app.kit.db.outage import OutageLog
from app.kit.db.pool import GENERATION, HAS_FAILED, ConnectionPool
from app.kit.db.settings import DatabaseSettings
from app.kit.errors import ConflictError, DomainError, MissingReferenceError, UnavailableError


class SingleStatement:
    """Holds a connection to execute one statement; refuses a second statement."""

    __slots__ = ("_connection", "_is_used", "_lending")

    def __init__(self, lending: AbstractAsyncContextManager[AsyncConnection]) -> None:
        self._lending = lending
        self._is_used = False

    async def __aenter__(self) -> Self:
        self._connection = await self._lending.__aenter__()
        return self

    async def __aexit__(
        self,
        type_: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._lending.__aexit__(type_, error, traceback)

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute the statement; raise ``RuntimeError`` for a second one."""
        if self._is_used:
            raise RuntimeError("single_statement() is for one statement: use transaction()")
        self._is_used = True
        return await self._connection.execute(statement, parameters)


# The type of connection for functions that execute one statement.
Executor: TypeAlias = AsyncConnection | SingleStatement


class Database:
    """The connection pool of one database and the three ways to use it."""

    def __init__(
        self,
        engine: AsyncEngine,
        pool: ConnectionPool,
        outages: OutageLog,
        *,
        begin: str,
        only_transactions: bool,
    ) -> None:
        event.listen(engine.sync_engine, "connect", dialect.on_connect)
        event.listen(engine.sync_engine, "handle_error", self._translate)
        self._pool = pool
        self._outages = outages
        self._begin = begin
        self._only_transactions = only_transactions

    @classmethod
    def from_settings(cls, settings: DatabaseSettings) -> Self:
        """Create the pool without connecting."""
        engine = open_engine(settings.database_url, dialect.engine_options(settings))
        outages = OutageLog()
        pool = ConnectionPool(
            engine,
            outages,
            size=settings.database_pool_size,
            wait_seconds=settings.database_wait_seconds,
            held_seconds=settings.database_held_seconds,
        )
        return cls(
            engine,
            pool,
            outages,
            begin=dialect.begin_statement(settings),
            only_transactions=dialect.only_transactions(settings),
        )

    @property
    def pool(self) -> ConnectionPool:
        """The connection pool, for measurements."""
        return self._pool

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def ping(self) -> None:
        """Raise ``UnavailableError`` unless the database is migrated and accepts changes."""
        async with self.read() as connection:
            result = await connection.execute(dialect.READINESS)
            row = result.one_or_none()
        if row is None:
            raise UnavailableError("the database has no tables yet")
        if row.is_read_only:
            self._pool.expire()  # after a failover, new connections reach the new primary
            raise UnavailableError("the database is read-only")

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Yield a connection without a transaction: each statement sees its own snapshot.

        Behind a transaction pooler there is a transaction, which carries the statement timeout.
        """
        if self._only_transactions:
            return self.transaction()
        return self._pool.lend(writes=False)

    def single_statement(self) -> SingleStatement:
        """Return an executor of one statement, which commits at once, whatever happens later.

        On PostgreSQL that takes one round trip; ``transaction()`` takes three.
        """
        # With one writer, a statement outside a transaction keeps the lock until its result is read.
        needs_transaction = dialect.ONE_WRITER or self._only_transactions
        return SingleStatement(
            self.transaction() if needs_transaction else self._pool.lend(writes=True)
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """Yield a connection in a transaction; commit at the end, roll back on an error."""
        async with self._pool.lend(writes=True) as connection:
            connection.info[HAS_FAILED] = False
            await connection.exec_driver_sql(self._begin)
            yield connection
            if connection.info[HAS_FAILED]:
                # Raises if the transaction failed: PostgreSQL turns COMMIT into a silent ROLLBACK.
                await connection.exec_driver_sql("SELECT 1")
            await connection.exec_driver_sql("COMMIT")

    def _translate(self, context: ExceptionContext) -> DomainError | None:
        """Return the domain error for an error of the driver; None if it is a bug."""
        error = context.original_exception
        if not isinstance(error, Exception):  # the task is cancelled
            return None
        info = context.connection.info if context.connection else {}
        info[HAS_FAILED] = True
        if dialect.is_conflict(error):
            return _conflict(error, context.statement or "")
        is_lost = context.is_disconnect or isinstance(error, OSError)
        if is_lost or dialect.is_session_lost(error):
            context.is_disconnect = True
            if not isinstance(error, TimeoutError):
                self._pool.expire(info.get(GENERATION))
        if is_lost or context.connection is None or dialect.is_unavailable(error):
            return self._outages.unavailable(error)
        return None


def _conflict(error: Exception, statement: str) -> DomainError:
    """Return the error for a conflict; name the columns, but never their values."""
    columns = ", ".join(dialect.conflicting_columns(error))
    suffix = f": {columns}" if columns else ""
    if not dialect.is_missing_reference(error):
        return ConflictError(f"conflicts with an existing record{suffix}")
    if statement.startswith("DELETE"):
        return ConflictError("still used by another record")
    return MissingReferenceError(f"refers to a record that does not exist{suffix}")


# {%- endfilter +%}
