"""Traces of jobs that the service runs itself."""

import pytest
from fastapi import FastAPI
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from app.jobs.kinds import KINDS
from tests.support.job_requests import JOBS, behave, ended
from tests.support.job_requests import start as start_job
from tests.support.jobs import BEHAVE
from tests.support.telemetry import Collector, Start, attributes


def test_attempts_of_a_job_are_in_the_traces_of_their_requests(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, BEHAVE.name, BEHAVE)
    with start() as client:
        assert isinstance(client.app, FastAPI)
        client.app.add_api_route("/behave", start_job, methods=["POST"], status_code=202)
        id = behave(client, "fail")
        assert ended(client, id)["status"] == "failed"
        client.post(f"{JOBS}{id}/retry")
        assert ended(client, id)["attempts"] == 2
    first, second = (span for span in collector.spans if span.name == "process behave")
    assert first.kind == Span.SPAN_KIND_CONSUMER
    assert first.status.code == Status.STATUS_CODE_ERROR
    found = {"job.id": id, "job.kind": "behave", "job.attempt": 1, "job.status": "failed"}
    assert attributes(first.attributes) == found
    for job, request in ((first, "POST /behave"), (second, f"POST {JOBS}" + "{id}/retry")):
        queued_by = collector.span(request)
        assert (job.trace_id, job.parent_span_id) == (queued_by.trace_id, queued_by.span_id)
    assert not second.links  # the retry is a new cause
    (line,) = (
        it
        for it in collector.logs
        if it.body.string_value == f"job {id} failed" and it.trace_id == first.trace_id
    )
    assert line.span_id == first.span_id
    durations = [it for it in collector.metrics if it.name == "job.duration"][-1]
    (point,) = durations.histogram.data_points
    assert attributes(point.attributes) == {"job.kind": "behave", "job.status": "failed"}
    assert point.count == 2
