"""SQLAlchemy's asyncio or sync API, under the names that the rest of the service uses.

Only this module knows whether code that uses the database runs in the event loop or in threads.
"""

# {% if cookiecutter.async_db %}
import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

# {% if cookiecutter.database == "sqlite" %}
from sqlalchemy import URL, Connection, NullPool, create_engine
# {% else %}
from sqlalchemy import URL, Connection, NullPool
# {% endif %}
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

from app.kit.db.url import driver_url

__all__ = [
    "AsyncConnection",
    "AsyncEngine",
    "FairSemaphore",
    "ShieldedCloser",
    "begin",
    "call_from_async",
    "open_engine",
    "ping",
    "raw_connection",
    "run_main",
    "with_sync_connection",
]

CLOSE_SECONDS = 2
ResultT = TypeVar("ResultT")


class FairSemaphore:
    """Admit ``size`` tasks, first come, first served.

    In other pools, new tasks overtake waiting ones: SQLAlchemy #7679, asyncpg #1247. Delete this
    class when a fair pool replaces ``pool.py``.
    """

    def __init__(self, size: int, wait_seconds: float) -> None:
        self._free = asyncio.Semaphore(size)
        self._wait_seconds = wait_seconds
        self.waiting = 0
        self.on_wait: Callable[[float], object] | None = None  # called with the seconds of a wait

    async def acquire(self) -> None:
        """Wait for a turn; raise ``TimeoutError`` after ``wait_seconds``."""
        if not self._free.locked():
            await self._free.acquire()
            return
        self.waiting += 1
        since = monotonic()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        finally:
            self.waiting -= 1
            if self.on_wait is not None:
                self.on_wait(monotonic() - since)

    def release(self) -> None:
        """Pass the turn to the task that has waited longest."""
        self._free.release()


def open_engine(url: URL, options: dict[str, Any]) -> AsyncEngine:
    """Return an engine without a pool; it connects on demand."""
    return create_async_engine(
        driver_url(url),
        poolclass=NullPool,  # see app/kit/db/pool.py
        hide_parameters=True,  # errors are logged, and parameters may be personal
        **options,
    )


async def begin(connection: AsyncConnection) -> None:
    """Begin SQLAlchemy's transaction; it refuses statements after the caller has ended it."""
    await connection.begin().start(is_ctxmanager=True)


async def raw_connection(connection: AsyncConnection) -> PoolProxiedConnection:
    """Return SQLAlchemy's wrapper of the driver's connection."""
    return await connection.get_raw_connection()


async def ping(connection: AsyncConnection) -> bool:
    """Return whether the server still answers on this connection."""
    return await connection.run_sync(_ping)


class ShieldedCloser:
    """Closes connections in the background, even if the caller is cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop keeps only weak references

    def discard(self, connection: AsyncConnection) -> None:
        """Start to close a connection."""

        async def close() -> None:
            await connection.invalidate()
            await connection.close()

        task = asyncio.create_task(close())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until all are closed, for a bounded time: the server may hang."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*self._tasks, return_exceptions=True)


async def call_from_async(function: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
    """Call a database function from a coroutine."""
    return await function()


def run_main(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run the main function of a script that uses the database."""
    asyncio.run(function())


# {% if cookiecutter.database == "sqlite" %}
def with_sync_connection(
    url: URL,
    function: Callable[[Connection], None],
    connect_args: dict[str, object] | None = None,
) -> None:
    """Call a blocking function, such as Alembic's, with a new connection of Python's own driver."""
    sync_url = url.set(drivername="sqlite")
    engine = create_engine(sync_url, poolclass=NullPool, connect_args=connect_args or {})
    with engine.connect() as connection:
        function(connection)


# {%- else %}
def with_sync_connection(
    url: URL,
    function: Callable[[Connection], None],
    connect_args: dict[str, object] | None = None,
) -> None:
    """Call a blocking function, such as Alembic's, with a new connection."""

    async def run() -> None:
        engine = create_async_engine(
            driver_url(url), poolclass=NullPool, connect_args=connect_args or {}
        )
        async with engine.connect() as connection:
            await connection.run_sync(function)

    asyncio.run(run())


# {%- endif +%}
# {%- else %}
from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine
from sqlalchemy.pool import PoolProxiedConnection

from app.kit.db.url import driver_url

__all__ = [
    "Connection",
    "Engine",
    "FairSemaphore",
    "ShieldedCloser",
    "begin",
    "call_from_async",
    "open_engine",
    "ping",
    "raw_connection",
    "run_main",
    "with_sync_connection",
]

ResultT = TypeVar("ResultT")


class FairSemaphore:
    """Admit ``size`` threads, first come, first served; ``threading.Semaphore`` promises no order.

    In SQLAlchemy's pool, new threads overtake waiting ones (SQLAlchemy #7679). Delete this class
    when a fair pool replaces ``pool.py``.
    """

    def __init__(self, size: int, wait_seconds: float) -> None:
        self._free = size
        self._wait_seconds = wait_seconds
        self._waiting: deque[Lock] = deque()
        self._lock = Lock()
        self.on_wait: Callable[[float], object] | None = None  # called with the seconds of a wait

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def acquire(self) -> None:
        """Wait for a turn; raise ``TimeoutError`` after ``wait_seconds``."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        since = monotonic()
        try:
            if not turn.acquire(timeout=self._wait_seconds):
                self._give_up(turn)
        finally:
            if self.on_wait is not None:
                self.on_wait(monotonic() - since)

    def _give_up(self, turn: Lock) -> None:
        with self._lock:
            if turn in self._waiting:  # otherwise it has just been granted
                self._waiting.remove(turn)
                raise TimeoutError

    def release(self) -> None:
        """Pass the turn to the thread that has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


def open_engine(url: URL, options: dict[str, Any]) -> Engine:
    """Return an engine without a pool; it connects on demand."""
    return create_engine(
        driver_url(url),
        poolclass=NullPool,  # see app/kit/db/pool.py
        hide_parameters=True,  # errors are logged, and parameters may be personal
        **options,
    )


def begin(connection: Connection) -> None:
    """Begin SQLAlchemy's transaction; it refuses statements after the caller has ended it."""
    connection.begin().__enter__()


def raw_connection(connection: Connection) -> PoolProxiedConnection:
    """Return SQLAlchemy's wrapper of the driver's connection."""
    return connection.connection


def ping(connection: Connection) -> bool:
    """Return whether the server still answers on this connection."""
    return _ping(connection)


class ShieldedCloser:
    """Closes connections."""

    def discard(self, connection: Connection) -> None:
        """Close a connection."""
        connection.invalidate()
        connection.close()

    def wait(self) -> None:
        """Do nothing: all are closed already."""


async def call_from_async(function: Callable[[], ResultT]) -> ResultT:
    """Call a blocking database function from a coroutine."""
    # In its own thread: all others may be waiting for a database that hangs.
    return await to_thread.run_sync(function, abandon_on_cancel=True, limiter=CapacityLimiter(1))


def run_main(function: Callable[[], None]) -> None:
    """Run the main function of a script that uses the database."""
    function()


def with_sync_connection(
    url: URL,
    function: Callable[[Connection], None],
    connect_args: dict[str, object] | None = None,
) -> None:
    """Call a blocking function, such as Alembic's, with a new connection."""
    engine = create_engine(driver_url(url), poolclass=NullPool, connect_args=connect_args or {})
    with engine.connect() as connection:
        function(connection)


# {%- endif +%}


def _ping(connection: Connection) -> bool:
    driver = connection.connection.dbapi_connection
    try:
        return driver is not None and connection.dialect.do_ping(driver)
    except (connection.dialect.loaded_dbapi.Error, OSError):
        return False
