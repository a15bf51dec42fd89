"""Connections between two units of work, lent again as they are.

The pool below would clean and check them, for 100 µs of every unit, because it cannot know how a
unit has ended. It gets those back with which something went wrong.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async)|replace("asynccontext", cookiecutter.__asynccontext) %}
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from threading import Lock
from time import monotonic

from sqlalchemy.pool import PoolProxiedConnection

from app.kit.db.engine import AsyncConnection, AsyncEngine, give_back, raw_connection
# {% if cookiecutter.database == "sqlite" %}
from app.kit.db.sqlite import AUTOCOMMIT, is_usable
# {% else %}
from app.kit.db.postgresql import AUTOCOMMIT, is_usable
# {% endif %}
from app.kit.errors import DomainError


class Place:
    """Room for one connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.autocommit: bool | None = None
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._raw: PoolProxiedConnection | None = None
        self._idle_since = 0.0

    async def connect(self, *, autocommit: bool) -> AsyncConnection:
        """Return the connection that is here, if it suits, or one from the pool."""
        kept, raw = self._connection, self._raw
        idle_seconds = monotonic() - self._idle_since
        if kept and raw and self.autocommit is autocommit and is_usable(raw, idle_seconds):
            return kept
        await self.clear()
        self._connection = connection = await self._engine.connect()
        self._raw = await raw_connection(connection)
        if autocommit:
            # Not an option of the engine, where SQLAlchemy would look for it at each statement.
            await connection.execution_options(**AUTOCOMMIT)
            await connection.begin()  # for SQLAlchemy only, as long as the connection lasts
        self.autocommit = autocommit
        return connection

    def keep(self) -> None:
        """Keep the connection for the next unit."""
        self._idle_since = monotonic()

    async def clear(self) -> None:
        """Give the connection back to the pool, to be thrown away if it was not made ready."""
        kept, is_ready = self._connection, self.autocommit is not None
        self._connection = self.autocommit = None
        if kept is not None:
            await give_back(kept, is_sound=is_ready)


class Places:
    """As many as the pool has connections; who takes one has waited for it elsewhere."""

    def __init__(self, engine: AsyncEngine, count: int) -> None:
        self._free = [Place(engine) for _ in range(count)]
        self._lock = Lock()  # threads may take them

    @asynccontextmanager
    async def lend(self, *, autocommit: bool) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection, and keep it if the pool need not look after it."""
        place = self._take(autocommit)
        is_sound = False
        try:
            yield await place.connect(autocommit=autocommit)
            is_sound = True
        except DomainError:  # has nothing to do with the connection
            is_sound = True
            raise
        finally:
            try:
                if is_sound:
                    place.keep()
                else:
                    await place.clear()
            finally:
                self._put(place)

    async def clear(self) -> None:
        """Give all connections back."""
        for place in self._free:
            await place.clear()

    def _take(self, autocommit: bool) -> Place:
        """Choose the last one used that suits, or an empty one, or the longest unused."""
        with self._lock:
            suitable = (place for place in reversed(self._free) if place.autocommit is autocommit)
            place = next(suitable, self._free[0])
            self._free.remove(place)
            return place

    def _put(self, place: Place) -> None:
        with self._lock:
            self._free.insert(0 if place.autocommit is None else len(self._free), place)


# {%- endfilter +%}
