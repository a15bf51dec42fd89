"""What is traced and counted of requests that are not plain."""

from collections.abc import AsyncGenerator

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from starlette.responses import StreamingResponse

from tests.support.telemetry import Collector, Start, attributes
from tests.support.users import USERS


async def echo(socket: WebSocket) -> None:
    """Answer one message; fail if it is not the expected one."""
    await socket.accept()
    if await socket.receive_text() != "hello":
        raise ValueError("lovelace@example.com")
    await socket.close()


async def break_off() -> StreamingResponse:
    """Send a part of a response."""

    async def parts() -> AsyncGenerator[bytes]:
        yield b"a"
        raise LookupError("lovelace@example.com")

    return StreamingResponse(parts())


def add(client: TestClient) -> None:
    """Add routes of these tests."""
    assert isinstance(client.app, FastAPI)
    client.app.add_api_websocket_route("/echo", echo)
    client.app.add_api_route("/parts", break_off, include_in_schema=False)


def test_head_has_the_route_of_get(start: Start, collector: Collector) -> None:
    with start() as client:
        client.head(f"{USERS}4711")
    request = next(span for span in collector.spans if not span.parent_span_id)
    assert request.name == f"HEAD {USERS}" + "{id}"
    assert attributes(request.attributes)["http.request.method"] == "HEAD"


def test_unknown_methods_have_one_name(start: Start, collector: Collector) -> None:
    with start() as client:
        client.request("LOVELACE", "/nowhere")
    (span,) = collector.spans
    assert span.name == "HTTP"
    assert attributes(span.attributes)["http.request.method"] == "_OTHER"


@pytest.mark.parametrize(("said", "error"), [("hello", None), ("lovelace", "ValueError")])
def test_websocket_is_one_span(
    start: Start, collector: Collector, said: str, error: str | None
) -> None:
    with start() as client:
        add(client)
        try:
            with client.websocket_connect(
                "/echo", headers={"Origin": "http://testserver"}
            ) as socket:
                socket.send_text(said)
                socket.receive()
        except ValueError:
            assert error == "ValueError"
    (span,) = collector.spans
    assert span.name == "WS /echo"
    found = attributes(span.attributes)
    assert found["network.protocol.name"] == "websocket"
    assert "http.request.method" not in found
    assert found.get("error.type") == error
    assert (span.status.code == Status.STATUS_CODE_ERROR) is (error is not None)
    assert not [
        point
        for metric in collector.metrics
        if metric.name == "http.server.request.duration"
        for point in metric.histogram.data_points
    ]


def test_response_that_breaks_off_is_an_error(start: Start, collector: Collector) -> None:
    with start() as client:
        add(client)
        client.get("/parts")
    (span,) = collector.spans
    assert attributes(span.attributes)["error.type"] == "LookupError"
    (metric,) = (it for it in collector.metrics if it.name == "http.server.active_requests")
    assert [point.as_int or point.as_double for point in metric.sum.data_points] == [0]
