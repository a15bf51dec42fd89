"""Spans and durations of jobs, in the trace of the request that queued them."""

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from time import perf_counter

from opentelemetry.context import Context
from opentelemetry.metrics import Meter
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.kit.db.database import Database
from app.kit.db.model import Record
from app.kit.jobs.calls import run_shielded
from app.kit.jobs.executor import JobExecutor, unobserved
from app.kit.jobs.models import JobStatus
from app.kit.telemetry.job_traces import HEADER, find_trace, note_attempt

logger = logging.getLogger(__name__)

PROPAGATOR = TraceContextTextMapPropagator()


SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600)


class JobTracer:
    """Traces and times each attempt at a job, with a link to the attempt before."""

    def __init__(self, tracer: Tracer, meter: Meter) -> None:
        self._tracer = tracer
        self._duration = meter.create_histogram(
            "job.duration",
            unit="s",
            description="Duration of attempts at jobs; the status queued is a failure to be retried.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    @asynccontextmanager
    async def around(
        self, database: Database, row: Record
    ) -> AsyncGenerator[Callable[[JobStatus], object]]:
        """Trace an attempt; what this yields is called with the status at the end."""
        since = perf_counter()
        parent, links = await self._find(database, row)

        def finish(status: JobStatus) -> None:
            attributes = {"job.kind": row.kind, "job.status": status}
            self._duration.record(perf_counter() - since, attributes)
            span.set_attribute("job.status", status)
            if status in {"failed", "queued"}:
                span.set_status(StatusCode.ERROR)

        span = self._tracer.start_span(
            f"process {row.kind}",
            context=parent,
            kind=SpanKind.CONSUMER,
            links=links,
            attributes={"job.id": row.id, "job.kind": row.kind, "job.attempt": row.attempts},
        )
        with use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            await self._note(database, row, span)
            yield finish

    async def _find(self, database: Database, row: Record) -> tuple[Context, list[Link]]:
        """Return the context of the request, and a link to the attempt before."""
        try:
            found = await run_shielded(partial(find_trace, database, row.id))
        except Exception:  # the job itself may still succeed
            logger.exception("the trace of job %d cannot be read", row.id)
            found = None
        if found is None:
            return Context(), []
        links = [] if found.tried_by is None else [Link(span_of(found.tried_by).get_span_context())]
        return PROPAGATOR.extract({HEADER: found.queued_by}, Context()), links

    async def _note(self, database: Database, row: Record, span: Span) -> None:
        if not span.is_recording():
            return
        try:
            await run_shielded(partial(note_attempt, database, row.id))
        except Exception:  # the next attempt lacks a link
            logger.exception("the trace of job %d cannot be stored", row.id)


def span_of(traceparent: str) -> Span:
    """Return the span that a ``traceparent`` names."""
    return get_current_span(PROPAGATOR.extract({HEADER: traceparent}, Context()))


@contextmanager
def observing_jobs(tracer: Tracer, meter: Meter) -> Generator[None]:
    """Trace and time the jobs that this process runs."""
    JobExecutor.around = staticmethod(JobTracer(tracer, meter).around)
    try:
        yield
    finally:
        JobExecutor.around = staticmethod(unobserved)
