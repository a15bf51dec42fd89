"""Metrics of jobs and of their queue."""

from functools import partial

import pytest
from opentelemetry.metrics import CallbackOptions
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from app.db.session import Database
from app.jobs.kinds import KINDS
from app.kit.db.engine import call_from_async
from app.kit.telemetry.job_counts import count_jobs
from app.kit.telemetry.job_queue import QueueGauges
from app.kit.telemetry.job_traces import traceparent
from tests.support.jobs import BEHAVE, queue, take

OPTIONS = CallbackOptions()
# {% if cookiecutter.database == "sqlite" %}
AGE = "UPDATE job SET created_at = strftime('%Y-%m-%d %H:%M:%f000', created_at, '-90 seconds')"
# {% else %}
AGE = "UPDATE job SET created_at = created_at - interval '90 seconds'"
# {% endif %}


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def change(database: Database, statement: str) -> None:
    async with database.transaction() as connection:
        await connection.exec_driver_sql(statement)
# {% endfilter %}


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, BEHAVE.name, BEHAVE)


async def test_waiting_and_running_jobs_are_counted(database: Database) -> None:
    await call_from_async(partial(queue, database, "succeed", count=3))
    first = await call_from_async(partial(queue, database, "succeed"))
    await call_from_async(partial(take, database, first, heartbeat_ago=0))
    await call_from_async(partial(change, database, AGE))
    gauges = QueueGauges(KINDS)
    gauges.set(await call_from_async(partial(count_jobs, database)))
    depth = {tuple((it.attributes or {}).values()): it.value for it in gauges.depth(OPTIONS)}
    assert depth["behave", "queued"] == 3
    assert depth["behave", "running"] == 1
    age = {tuple((it.attributes or {}).values()): it.value for it in gauges.age(OPTIONS)}
    assert 89 < age["behave",] < 100
    assert age.keys() == {(kind,) for kind in KINDS}
    assert {value for kind, value in age.items() if kind != ("behave",)} <= {0}


def test_job_of_a_background_task_has_the_trace_of_its_request() -> None:
    """Its span has ended, but others may follow it."""
    trace_id, span_id = 2**127, 2**63
    for flags in TraceFlags.SAMPLED, TraceFlags.DEFAULT:
        context = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(flags))
        with use_span(NonRecordingSpan(context)):
            found = traceparent()
        is_sampled = flags == TraceFlags.SAMPLED
        assert found == (f"00-{trace_id:032x}-{span_id:016x}-01" if is_sampled else None)


async def test_retried_jobs_have_no_age(database: Database) -> None:
    """They may wait on purpose."""
    await call_from_async(partial(queue, database, "succeed"))
    await call_from_async(partial(change, database, AGE))
    await call_from_async(partial(change, database, "UPDATE job SET attempts = 1"))
    gauges = QueueGauges(KINDS)
    gauges.set(await call_from_async(partial(count_jobs, database)))
    assert {it.value for it in gauges.age(OPTIONS)} == {0}


def test_unknown_is_not_zero() -> None:
    gauges = QueueGauges(KINDS)
    gauges.set([])
    assert {it.value for it in gauges.depth(OPTIONS)} == {0}
    gauges.set(None)
    assert not list(gauges.depth(OPTIONS))
