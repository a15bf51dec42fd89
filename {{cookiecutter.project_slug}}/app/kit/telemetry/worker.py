"""The queue of procrastinate for a worker whose jobs are traced."""

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import TypeVar

from procrastinate import App

from app.kit.db.database import Database
from app.kit.jobs.kinds import JobKinds
from app.kit.jobs.procrastinate import open_queue
from app.kit.jobs.worker_settings import WorkerSettings
from app.kit.telemetry.jobs import observing_jobs
from app.kit.telemetry.measures import measure_pool
from app.kit.telemetry.telemetry import Telemetry
# {% if cookiecutter.fan_out %}
from app.kit.telemetry.upstream import observing_upstream  # example
# {% endif %}

OBSERVERS = [
    observing_jobs,
    # {% if cookiecutter.fan_out %}
    observing_upstream,  # example
    # {% endif %}
]
SettingsT = TypeVar("SettingsT", bound=WorkerSettings)


@asynccontextmanager
async def open_traced_queue(
    create: Callable[[SettingsT], Telemetry],
    settings: SettingsT,
    database: Database,
    kinds: JobKinds,
) -> AsyncGenerator[App]:
    """Yield the application as ``open_queue`` does; export what its jobs do."""
    telemetry = create(settings)
    async with telemetry.running(), open_queue(settings, database, kinds) as app:
        measure_pool(telemetry.meter, database.pool)
        with ExitStack() as stack:
            for observe in OBSERVERS:
                stack.enter_context(observe(telemetry.tracer, telemetry.meter))
            yield app
