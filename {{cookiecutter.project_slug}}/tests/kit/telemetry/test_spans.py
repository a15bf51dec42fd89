"""Spans are encoded as the SDK encodes them."""

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    set_span_in_context,
)

from app.kit.telemetry.spans import encode, encode_once

CALLER = SpanContext(2**127 + 1, 2**63 + 1, is_remote=True)
ATTRIBUTES = {
    "text": "é",
    "int": 1,
    "bool": True,
    "float": 1.0,
    "list": [1, 2],
    "bools": [True, False],
    "large": 2**70,
    "surrogate": "\ud800",
}


def recording() -> tuple[TracerProvider, InMemorySpanExporter]:
    """Return a provider, and what has its spans."""
    exporter = InMemorySpanExporter()
    limits = SpanLimits(max_span_attributes=2)
    resource = Resource({"service.name": "orders"})
    provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


@pytest.fixture
def spans() -> list[ReadableSpan]:
    """Return spans of all kinds, of two libraries."""
    provider, exporter = recording()
    for tracer in (provider.get_tracer("app", "1"), provider.get_tracer("owner", None, "schema")):
        for name, value in ATTRIBUTES.items():
            tracer.start_span(name, attributes={name: value}).end()
        tracer.start_span("dropped", attributes={str(number): number for number in range(5)}).end()
        for kind in SpanKind:
            parent = set_span_in_context(NonRecordingSpan(CALLER))
            with tracer.start_as_current_span("parent", parent, kind):
                tracer.start_span("child").end()
        for status in (
            Status(StatusCode.OK),
            Status(StatusCode.ERROR),
            Status(StatusCode.ERROR, "why"),
        ):
            span = tracer.start_span("status")
            span.set_status(status)
            span.end()
        tracer.start_span("link", links=[Link(CALLER)]).end()
        span = tracer.start_span("event")
        span.add_event("happened", {"a": 1})
        span.end()
    return list(exporter.get_finished_spans())


def test_spans_are_encoded_as_by_the_sdk(spans: list[ReadableSpan]) -> None:
    assert encode(spans) == encode_spans(spans)


def test_texts_of_errors_are_left_out() -> None:
    provider, exporter = recording()
    with pytest.raises(KeyError), provider.get_tracer("owner").start_as_current_span("price"):
        raise KeyError("lovelace")
    request = encode(exporter.get_finished_spans())
    (span,) = request.resource_spans[0].scope_spans[0].spans
    assert span.status.code == span.status.STATUS_CODE_ERROR
    (event,) = span.events
    assert {it.key for it in event.attributes} == {"exception.type", "exception.escaped"}
    assert b"lovelace" not in request.SerializeToString()


def test_long_texts_are_not_kept() -> None:
    provider, exporter = recording()
    provider.get_tracer("owner").start_span("a", attributes={"text": "x" * 201}).end()
    before = encode_once.cache_info()
    encode(exporter.get_finished_spans())
    assert encode_once.cache_info() == before


def test_attributes_that_are_equal_keep_their_types() -> None:
    assert {encode_once("a", it).value.WhichOneof("value") for it in (1, 1.0, True)} == {
        "int_value",
        "double_value",
        "bool_value",
    }
