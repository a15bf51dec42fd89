"""Traces of jobs that workers run."""

from functools import partial

import anyio
import pytest
from fastapi import FastAPI
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from app.core.config import Settings
from app.core.telemetry import create_telemetry
from app.db.session import Database
from app.jobs.kinds import KINDS
from app.kit.db.engine import call_from_async
from app.kit.telemetry.worker import open_traced_queue
from tests.support.job_requests import behave
from tests.support.job_requests import start as start_job
from tests.support.jobs import BEHAVE, get
from tests.support.telemetry import Collector, Start, attributes
from tests.support.workers import reach, worker_process


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, BEHAVE.name, BEHAVE)


def queue(start: Start, does: str) -> int:
    """Queue a job by a request that is traced, and return its id."""
    with start() as client:
        assert isinstance(client.app, FastAPI)
        client.app.add_api_route("/behave", start_job, methods=["POST"], status_code=202)
        return behave(client, does)


async def test_attempts_are_in_the_trace_of_the_request_and_linked(
    start: Start, collector: Collector, settings: Settings, database: Database
) -> None:
    id = queue(start, "fail")
    sending = settings.model_copy(update={"otel_exporter_otlp_endpoint": collector.url})
    async with open_traced_queue(create_telemetry, sending, database, KINDS) as worker:
        worker.periodic_registry.periodic_tasks.clear()
        with anyio.fail_after(10):
            while (await call_from_async(partial(get, database, id))).status == "queued":
                await worker.run_worker_async(
                    wait=False, listen_notify=False, install_signal_handlers=False
                )
    request = collector.span("POST /behave")
    first, second = (span for span in collector.spans if span.name == "process behave")
    for job in (first, second):
        assert job.kind == Span.SPAN_KIND_CONSUMER
        assert (job.trace_id, job.parent_span_id) == (request.trace_id, request.span_id)
        assert job.status.code == Status.STATUS_CODE_ERROR
    assert attributes(first.attributes)["job.status"] == "queued"
    assert attributes(second.attributes)["job.status"] == "failed"
    assert not first.links
    (link,) = second.links
    assert (link.trace_id, link.span_id) == (first.trace_id, first.span_id)
    durations = [it for it in collector.metrics if it.name == "job.duration"][-1]
    counts = {
        attributes(point.attributes)["job.status"]: point.count
        for point in durations.histogram.data_points
    }
    assert counts == {"queued": 1, "failed": 1}


@pytest.mark.slow
async def test_job_of_another_process_is_in_the_trace_of_the_request(
    start: Start, collector: Collector, settings: Settings, database: Database
) -> None:
    queue(start, "succeed")
    with worker_process(settings, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as running:
        await reach(database, 1, "succeeded")
        running.terminate()
        assert running.wait(20) == 0
    request, job = collector.span("POST /behave"), collector.span("process behave")
    assert (job.trace_id, job.parent_span_id) == (request.trace_id, request.span_id)
    statements = [it for it in collector.spans if it.parent_span_id == job.span_id]
    assert "COMMIT" in {it.name for it in statements}
