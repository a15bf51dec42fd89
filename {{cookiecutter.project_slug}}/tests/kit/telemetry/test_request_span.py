"""What an owner of the service may do with the span of a request."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span as AnySpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags, get_current_span

from app.kit.telemetry.middleware import request_attributes
from tests.support.telemetry import Collector, Start, attributes

OTHER = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def spans_of(
    start: Start, collector: Collector, endpoint: Callable[[], None], requests: int = 1
) -> list[Span]:
    """Return the spans of requests that the endpoint answers."""
    with start() as client:
        assert isinstance(client.app, FastAPI)
        client.app.add_api_route("/owned", endpoint)
        for _ in range(requests):
            assert client.get("/owned").status_code == 200
    return [span for span in collector.spans if span.name == "GET /owned"]


def test_additions_are_sent(start: Start, collector: Collector) -> None:
    def endpoint() -> None:
        span = get_current_span()
        assert span.is_recording()
        span.set_attribute("order.id", 5)
        span.set_attributes({"order.lines": 2, "http.response.status_code": 0})
        span.add_event("paid", {"currency": "EUR"})
        span.record_exception(KeyError("stock"))
        span.add_link(OTHER, {"why": "retry"})

    (span,) = spans_of(start, collector, endpoint)
    found = attributes(span.attributes)
    assert (found["order.id"], found["order.lines"]) == (5, 2)
    assert (found["http.response.status_code"], found["http.route"]) == (200, "/owned")
    paid, error = span.events
    assert (paid.name, attributes(paid.attributes)) == ("paid", {"currency": "EUR"})
    assert attributes(error.attributes)["exception.type"] == "KeyError"
    (link,) = span.links
    assert int.from_bytes(link.trace_id, "big") == OTHER.trace_id
    assert attributes(link.attributes) == {"why": "retry"}


def test_attributes_of_requests_are_not_mixed(start: Start, collector: Collector) -> None:
    numbers = iter((1, 2))

    def endpoint() -> None:
        number = next(numbers)
        if number == 1:
            get_current_span().set_attribute("order.id", number)

    first, second = spans_of(start, collector, endpoint, requests=2)
    assert attributes(first.attributes)["order.id"] == 1
    assert "order.id" not in attributes(second.attributes)


def test_addition_after_the_end_is_dropped(start: Start, collector: Collector) -> None:
    """As by a thread that works on: requests of one kind share their attributes."""
    ended: list[AnySpan] = []

    def endpoint() -> None:
        for span in ended:
            span.set_attribute("order.id", 5)
        ended.append(get_current_span())

    _, second = spans_of(start, collector, endpoint, requests=2)
    assert "order.id" not in attributes(second.attributes)
    shared = request_attributes("GET", "http", "1.1", "/owned", 200, None)
    assert "order.id" not in shared
    with pytest.raises(TypeError):
        shared["order.id"] = 5  # ty: ignore[invalid-assignment]


def test_processor_of_the_owner_gets_all_spans(start: Start) -> None:
    exporter = InMemorySpanExporter()
    with start() as client:
        assert isinstance(client.app, FastAPI)
        provider = client.app.state.telemetry.tracer_provider
        provider.add_span_processor(BatchSpanProcessor(exporter))
        client.get("/nowhere")
    (span,) = (it for it in exporter.get_finished_spans() if it.kind is SpanKind.SERVER)
    assert span.name == "GET"


def test_status_of_the_owner_is_kept(start: Start, collector: Collector) -> None:
    def endpoint() -> None:
        get_current_span().set_status(StatusCode.ERROR, "out of stock")

    (span,) = spans_of(start, collector, endpoint)
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "out of stock")


def test_span_that_the_owner_has_ended_is_sent_once(start: Start, collector: Collector) -> None:
    def endpoint() -> None:
        span = get_current_span()
        span.update_name("GET /owned")
        span.end()
        assert not span.is_recording()

    (span,) = spans_of(start, collector, endpoint)
    assert not span.attributes
