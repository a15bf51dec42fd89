"""Traces of the calls that jobs of workers make."""

import pytest
from pydantic import BaseModel

from app.core.config import Settings
from app.core.telemetry import create_telemetry
from app.db.session import Database
from app.jobs.kinds import KINDS
from app.kit.telemetry.worker import open_traced_queue
from app.kit.upstream.service import Upstream
from tests.support.telemetry import Collector
from tests.support.upstream import Asked, json_reply, playing


class Nothing(BaseModel):
    """What the other service answers."""


async def test_call_of_a_worker_is_traced(
    collector: Collector, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    requests: list[Asked] = []

    async def answer(request: Asked) -> bytes:
        requests.append(request)
        return json_reply({})

    sending = settings.model_copy(update={"otel_exporter_otlp_endpoint": collector.url})
    async with (
        playing(answer) as port,
        open_traced_queue(create_telemetry, sending, database, KINDS),
    ):
        upstream = Upstream(f"http://127.0.0.1:{port}", sending)
        await upstream.get("/", {}, Nothing)
        await upstream.aclose()
    call = collector.span("GET")
    (asked,) = requests
    assert call.span_id.hex() in asked.headers["traceparent"]
    assert "http.client.request.duration" in {metric.name for metric in collector.metrics}
