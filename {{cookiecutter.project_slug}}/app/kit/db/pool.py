"""A connection pool that reuses connections without a reset.

SQLAlchemy's pool resets and pings a connection between two uses (100 µs), and is not fair
(SQLAlchemy #7679). Delete this module when that pool is fair and skips both.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async)|replace("asynccontext", cookiecutter.__asynccontext) %}
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from app.kit.db.dialect import dialect
from app.kit.db.engine import (
    AsyncConnection,
    AsyncEngine,
    FairSemaphore,
    ShieldedCloser,
    begin,
    ping,
    raw_connection,
)
from app.kit.db.outage import OutageLog
from app.kit.errors import UnavailableError
from app.kit.logging import request_id

logger = logging.getLogger(__name__)

# Keys of ``Connection.info``: its generation, and whether one of its statements has failed.
GENERATION = "generation"
HAS_FAILED = "has_failed"
CHECK_SECONDS = 1  # between two checks for connections that are held too long


class Lease:
    """One use of a connection by a task."""

    __slots__ = ("is_open", "is_reported", "request_id", "since")

    def __init__(self) -> None:
        self.since = monotonic()
        self.request_id = request_id.get()
        self.is_open = True
        self.is_reported = False


class PoolUsage(NamedTuple):
    """How many connections are in use and idle, and how many callers wait for one."""

    used: int
    idle: int
    waiting: int


class PooledConnection:
    """A connection and what the pool knows about it."""

    __slots__ = ("connection", "driver", "generation", "idle_since", "raw")

    def __init__(
        self,
        connection: AsyncConnection,
        raw: PoolProxiedConnection,
        generation: int,
    ) -> None:
        raw.info[GENERATION] = generation
        self.connection = connection
        self.raw = raw
        self.driver: Any = raw.driver_connection
        self.generation = generation
        self.idle_since = 0.0


class ConnectionPool:
    """Opens up to ``size`` connections, and one for the writer if there may be only one writer."""

    def __init__(
        self,
        engine: AsyncEngine,
        outages: OutageLog,
        *,
        size: int,
        wait_seconds: float,
        held_seconds: float,
    ) -> None:
        self.size = size
        self._engine = engine
        self._outages = outages
        self._readers = FairSemaphore(size, wait_seconds)
        # A writer that waits for another must not keep a connection from the readers.
        self._writers = FairSemaphore(1, wait_seconds) if dialect.ONE_WRITER else self._readers
        self._closer = ShieldedCloser()
        self._idle: list[PooledConnection] = []
        self._generation = 0
        self._held_seconds = held_seconds
        self._leases: dict[Lease, None] = {}
        self._held: ContextVar[Lease | None] = ContextVar("held", default=None)  # by this task
        self._check_at = 0.0

    @asynccontextmanager
    async def lend(self, *, writes: bool) -> AsyncGenerator[AsyncConnection]:
        """Yield a connection in autocommit mode; raise ``UnavailableError`` after a timeout."""
        semaphore = self._writers if writes else self._readers
        await self._wait(semaphore)
        lease = Lease()
        self._leases[lease] = None
        self._held.set(lease)
        try:
            pooled = await self._take()
            try:
                yield pooled.connection
            except (Exception, GeneratorExit):
                await self._reset(pooled)
                raise
            except BaseException:  # cancelled, perhaps in the middle of a statement
                self._closer.discard(pooled.connection)
                raise
            self._put_back(pooled)
        finally:
            lease.is_open = False
            del self._leases[lease]
            semaphore.release()

    def expire(self, generation: int | None = None) -> None:
        """Replace all connections, or those of one generation, because one is unusable."""
        if generation is None or generation == self._generation:
            self._generation += 1

    @property
    def semaphores(self) -> set[FairSemaphore]:
        """What callers wait for: one for all, or one for readers and one for the writer."""
        return {self._readers, self._writers}

    def usage(self) -> PoolUsage:
        """Return how the pool is used now."""
        waiting = sum(semaphore.waiting for semaphore in self.semaphores)
        return PoolUsage(len(self._leases), len(self._idle), waiting)

    async def close(self) -> None:
        """Close the idle connections."""
        self._generation += 1
        for pooled in self._idle:
            self._closer.discard(pooled.connection)
        self._idle.clear()
        await self._closer.wait()

    async def _wait(self, semaphore: FairSemaphore) -> None:
        held = self._held.get()
        if held is not None and held.is_open:
            # Under load, each task would hold a connection and wait for a second one: a deadlock.
            raise RuntimeError("this task already holds a connection: pass it on")
        self._report_long_leases()
        try:
            await semaphore.acquire()
        except TimeoutError as error:
            raise UnavailableError("all database connections are in use") from error

    async def _take(self) -> PooledConnection:
        """Return the idle connection that was used last and still works, or a new one."""
        while self._idle:
            try:
                pooled = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if await self._works(pooled):
                return pooled
            self._closer.discard(pooled.connection)
        return await self._connect()

    async def _works(self, pooled: PooledConnection) -> bool:
        if pooled.generation != self._generation or not dialect.is_open(pooled.driver):
            return False
        if monotonic() - pooled.idle_since < dialect.IDLE_SECONDS:
            return True
        try:
            is_alive = await ping(pooled.connection)
        except BaseException:
            self._closer.discard(pooled.connection)
            raise
        if not is_alive:  # or a request would wait for the timeout of each idle connection
            self.expire(pooled.generation)
        return is_alive

    async def _connect(self) -> PooledConnection:
        generation = self._generation
        try:
            connection = await self._engine.connect()
        except OSError as error:  # SQLAlchemy does not wrap it
            raise self._outages.unavailable(error) from error
        try:
            # Only in SQLAlchemy, for the life of the connection: the driver is in autocommit mode.
            await begin(connection)
            raw = await raw_connection(connection)
        except BaseException:
            self._closer.discard(connection)
            raise
        return PooledConnection(connection, raw, generation)

    async def _reset(self, pooled: PooledConnection) -> None:
        """Roll back, and keep the connection unless it was lost."""
        try:
            if pooled.raw.is_valid and not dialect.is_idle(pooled.driver):
                await pooled.connection.exec_driver_sql("ROLLBACK")
        except (SQLAlchemyError, UnavailableError):
            logger.warning("a connection was lost before its rollback")
            self._closer.discard(pooled.connection)
        except BaseException:
            self._closer.discard(pooled.connection)
            raise
        else:
            self._put_back(pooled)

    def _put_back(self, pooled: PooledConnection) -> None:
        is_ended = not pooled.connection.in_transaction()  # as SQLAlchemy sees it: see _connect
        if is_ended or pooled.generation != self._generation or not pooled.raw.is_valid:
            self._closer.discard(pooled.connection)
        elif not dialect.is_idle(pooled.driver):
            self._closer.discard(pooled.connection)
            raise RuntimeError("a transaction was left open: use transaction()")
        else:
            pooled.idle_since = monotonic()
            self._idle.append(pooled)

    def _report_long_leases(self) -> None:
        """Log requests that hold a connection too long, such as streams of clients that left."""
        now = monotonic()
        if now < self._check_at:
            return
        self._check_at = now + CHECK_SECONDS
        for lease in tuple(self._leases):
            if not lease.is_reported and now - lease.since > self._held_seconds:
                lease.is_reported = True
                logger.warning(
                    "a database connection has been held for %d s by request %s",
                    now - lease.since,
                    lease.request_id,
                )


# {%- endfilter +%}
