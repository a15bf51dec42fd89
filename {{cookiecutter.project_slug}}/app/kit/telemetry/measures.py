"""Metrics of the event loop and of the connection pool."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from app.kit.db.pool import ConnectionPool

LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
WAIT_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
INTERVAL_SECONDS = 0.25
STATE = "db.client.connection.state"


@asynccontextmanager
async def measuring_loop(meter: Meter) -> AsyncGenerator[None]:
    """Measure how late the event loop runs what is due: work that blocks it delays all requests."""
    lag = meter.create_histogram(
        "event_loop.lag",
        unit="s",
        description="How late the event loop runs what is due.",
        explicit_bucket_boundaries_advisory=LAG_SECONDS,
    )

    async def measure() -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_SECONDS
            await asyncio.sleep(INTERVAL_SECONDS)
            lag.record(max(0.0, loop.time() - due))

    task = asyncio.create_task(measure())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def measure_pool(meter: Meter, pool: ConnectionPool) -> None:
    """Measure the connections in use, the callers that wait for one, and how long they waited."""

    def count(_: CallbackOptions) -> Iterable[Observation]:
        usage = pool.usage()
        yield Observation(usage.used, {STATE: "used"})
        yield Observation(usage.idle, {STATE: "idle"})

    def waiting(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(pool.usage().waiting)

    def size(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(pool.size)

    meter.create_observable_up_down_counter(
        "db.client.connection.count", [count], "{connection}", "Connections of the pool."
    )
    meter.create_observable_up_down_counter(
        "db.client.connection.max", [size], "{connection}", "The most connections of the pool."
    )
    meter.create_observable_up_down_counter(
        "db.client.connection.pending_requests",
        [waiting],
        "{request}",
        "Callers that wait for a connection.",
    )
    wait = meter.create_histogram(
        "db.client.connection.wait_time",
        unit="s",
        description="How long callers waited that got no connection at once.",
        explicit_bucket_boundaries_advisory=WAIT_SECONDS,
    )
    for semaphore in pool.semaphores:
        semaphore.on_wait = wait.record
