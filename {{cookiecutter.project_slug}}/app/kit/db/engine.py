"""The SQLAlchemy API behind this service, under the names that the rest of it uses.

So only this module knows whether the database is used from asyncio or from threads.
"""

# {% if cookiecutter.async_db %}
import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

# {% if cookiecutter.database == "sqlite" %}
from sqlalchemy import URL, Connection, NullPool, create_engine
# {% else %}
from sqlalchemy import URL, Connection, NullPool
# {% endif %}
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

__all__ = [
    "AsyncConnection",
    "AsyncEngine",
    "FairSemaphore",
    "call_from_async",
    "close_engine",
    "give_back",
    "open_engine",
    "raw_connection",
    "run_main",
    "with_sync_connection",
]

CLOSE_SECONDS = 2
ResultT = TypeVar("ResultT")


class FairSemaphore:
    """Admit ``size`` tasks in the order they came. SQLAlchemy's own queue lets newcomers pass."""

    def __init__(self, size: int, wait_seconds: float) -> None:
        self._free = asyncio.Semaphore(size)
        self._wait_seconds = wait_seconds

    async def acquire(self) -> None:
        """Wait for a place; raise ``TimeoutError`` after ``wait_seconds``."""
        if not self._free.locked():
            await self._free.acquire()
            return
        async with asyncio.timeout(self._wait_seconds):
            await self._free.acquire()

    def release(self) -> None:
        """Hand the place to the one who waits longest."""
        self._free.release()


def open_engine(url: URL, pool_size: int, connect_args: dict[str, object]) -> AsyncEngine:
    """Make an engine that connects on first use and never beyond ``pool_size``."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,  # few come from the pool: see app/kit/db/pool.py
        connect_args=connect_args,
        hide_parameters=True,  # errors are logged, and parameters may be personal
    )


async def raw_connection(connection: AsyncConnection) -> PoolProxiedConnection:
    """Return the driver's connection with what the pool knows of it."""
    return await connection.get_raw_connection()


async def give_back(connection: AsyncConnection, *, is_sound: bool) -> None:
    """Let the pool have a connection again, though the one who waits for that be cancelled."""

    async def close() -> None:
        if not is_sound:
            await connection.invalidate()
        await connection.close()

    await asyncio.shield(asyncio.create_task(close()))


async def close_engine(engine: AsyncEngine) -> None:
    """Close the pooled connections; a server that hangs must not keep this process from ending."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await engine.dispose()


async def call_from_async(work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
    """Run a method of the data access from a coroutine."""
    return await work()


def run_main(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run the data access outside a server."""
    asyncio.run(work())


# {% if cookiecutter.database == "sqlite" %}
def with_sync_connection(
    url: URL,
    work: Callable[[Connection], None],
    connect_args: dict[str, object] | None = None,
) -> None:
    """Run blocking work, such as Alembic's, on a connection of its own, with Python's own driver."""
    blocking_url = url.set(drivername="sqlite")
    engine = create_engine(blocking_url, poolclass=NullPool, connect_args=connect_args or {})
    with engine.connect() as connection:
        work(connection)


# {%- else %}
def with_sync_connection(
    url: URL,
    work: Callable[[Connection], None],
    connect_args: dict[str, object] | None = None,
) -> None:
    """Run blocking work, such as Alembic's, on a connection of its own."""

    async def run() -> None:
        engine = create_async_engine(url, poolclass=NullPool, connect_args=connect_args or {})
        async with engine.connect() as connection:
            await connection.run_sync(work)

    asyncio.run(run())


# {%- endif +%}
# {%- else %}
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine
from sqlalchemy.pool import PoolProxiedConnection

__all__ = [
    "Connection",
    "Engine",
    "FairSemaphore",
    "call_from_async",
    "close_engine",
    "give_back",
    "open_engine",
    "raw_connection",
    "run_main",
    "with_sync_connection",
]

ResultT = TypeVar("ResultT")


class FairSemaphore:
    """Admit ``size`` threads in the order they came; ``threading.Semaphore`` promises no order."""

    def __init__(self, size: int, wait_seconds: float) -> None:
        self._free = size
        self._wait_seconds = wait_seconds
        self._waiting: deque[Lock] = deque()
        self._lock = Lock()

    def acquire(self) -> None:
        """Wait for a place; raise ``TimeoutError`` after ``wait_seconds``."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        if not turn.acquire(timeout=self._wait_seconds):
            self._give_up(turn)

    def _give_up(self, turn: Lock) -> None:
        with self._lock:
            if turn in self._waiting:  # otherwise the place arrived in this very moment
                self._waiting.remove(turn)
                raise TimeoutError

    def release(self) -> None:
        """Hand the place to the one who waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


def open_engine(url: URL, pool_size: int, connect_args: dict[str, object]) -> Engine:
    """Make an engine that connects on first use and never beyond ``pool_size``."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,  # few come from the pool: see app/kit/db/pool.py
        connect_args=connect_args,
        hide_parameters=True,  # errors are logged, and parameters may be personal
    )


def raw_connection(connection: Connection) -> PoolProxiedConnection:
    """Return the driver's connection with what the pool knows of it."""
    return connection.connection


def give_back(connection: Connection, *, is_sound: bool) -> None:
    """Let the pool have a connection again."""
    if not is_sound:
        connection.invalidate()
    connection.close()


def close_engine(engine: Engine) -> None:
    """Close the pooled connections."""
    engine.dispose()


async def call_from_async(work: Callable[[], ResultT]) -> ResultT:
    """Run a method of the data access, which is for threads, from a coroutine."""
    # In a thread of its own: those of others may all wait, for what this is to tell or for a
    # database that hangs.
    return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=CapacityLimiter(1))


def run_main(work: Callable[[], None]) -> None:
    """Run the data access outside a server."""
    work()


def with_sync_connection(
    url: URL,
    work: Callable[[Connection], None],
    connect_args: dict[str, object] | None = None,
) -> None:
    """Run blocking work, such as Alembic's, on a connection of its own."""
    engine = create_engine(url, poolclass=NullPool, connect_args=connect_args or {})
    with engine.connect() as connection:
        work(connection)


# {%- endif +%}
