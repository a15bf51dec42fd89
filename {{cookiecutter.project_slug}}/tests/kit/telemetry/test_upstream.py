"""Traces of calls to other services."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.support.telemetry import Collector, Start, attributes
from tests.support.upstream import Answer, Asked, json_reply, playing, reply

SEQUENTIAL = "/api/v1/recipes/ideas"
CONCURRENT = "/api/v1/recipes/ideas/async"
Calling: TypeAlias = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def calling(start: Start, monkeypatch: pytest.MonkeyPatch) -> Calling:
    """Return how to start the service with another one, which a function plays."""
    monkeypatch.setenv("no_proxy", "*")

    @contextmanager
    def calling(answer: Answer, seconds: float = 5) -> Generator[TestClient]:
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(playing(answer)) as port,
            start(
                ideas_base_url=f"http://localhost:{port}",
                ideas_sources=("lovelace",),
                upstream_cache_seconds=0,
                upstream_timeout_seconds=seconds,
            ) as client,
        ):
            yield client

    return calling


@pytest.mark.parametrize("path", [SEQUENTIAL, CONCURRENT])
def test_call_carries_the_trace_on(calling: Calling, collector: Collector, path: str) -> None:
    requests: list[Asked] = []

    async def answer(request: Asked) -> bytes:
        requests.append(request)
        return json_reply({"data": {"children": []}})

    with calling(answer) as client:
        assert client.get(path, headers={"baggage": "user=lovelace"}).status_code == 200
    request, call = collector.spans
    assert (call.name, call.kind) == ("GET", Span.SPAN_KIND_CLIENT)
    assert call.parent_span_id == request.span_id
    found = {"http.request.method": "GET", "server.address": "localhost"}
    assert attributes(call.attributes) == found
    (asked,) = requests
    sent = asked.headers["traceparent"]
    assert sent.startswith(f"00-{call.trace_id.hex()}-{call.span_id.hex()}-")
    assert "baggage" not in asked.headers
    assert b"lovelace" not in collector.everything  # of its path


@pytest.mark.parametrize(("status", "error"), [(503, "503"), (200, "TimeoutError")])
def test_failed_call_is_an_error(
    calling: Calling, collector: Collector, status: int, error: str
) -> None:
    async def answer(request: Asked) -> bytes:
        return reply(status=status) if status == 503 else b"HTTP/1.1 200 OK\r\n"

    with calling(answer, seconds=5 if status == 503 else 0.2) as client:
        client.get(CONCURRENT)
    call = collector.span("GET")
    assert call.status.code == Status.STATUS_CODE_ERROR
    assert attributes(call.attributes)["error.type"] == error
    assert not call.events
    (metric,) = (it for it in collector.metrics if it.name == "http.client.request.duration")
    (point,) = metric.histogram.data_points
    assert point.count == 1
    assert attributes(point.attributes) == attributes(call.attributes)
