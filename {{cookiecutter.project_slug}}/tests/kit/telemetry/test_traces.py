"""Traces of requests, as a collector receives them."""

import json
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic import SecretStr

from app.core.about import ABOUT
from app.kit.logging import JsonFormatter
from app.kit.telemetry.statements import describe
from tests.support.telemetry import Collector, Start, attributes
from tests.support.users import ADA, USERS

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = (f"00-{TRACE_ID}-{SPAN_ID}-{flag}" for flag in ("01", "00"))
USER = USERS + "{id}"
MISSING_USER = f"{USERS}4711"


def test_request_and_its_statement_are_one_trace(start: Start, collector: Collector) -> None:
    with start() as client:
        client.get("/health/ready")
        client.get(MISSING_USER)
    request, *_, statement = collector.spans
    assert (request.name, request.kind) == (f"GET {USER}", Span.SPAN_KIND_SERVER)
    assert attributes(request.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "http.route": USER,
        "network.protocol.version": "1.1",
        "url.scheme": "http",
    }
    assert (statement.name, statement.kind) == ("SELECT", Span.SPAN_KIND_CLIENT)
    assert statement.parent_span_id == request.span_id
    assert statement.trace_id == request.trace_id
    found = attributes(statement.attributes)
    assert found["db.system.name"] == "{{ cookiecutter.database }}"
    assert "FROM" in str(found["db.query.text"])


@pytest.mark.parametrize("statement", ["select\n\t1", " SELECT 1", "SELECT;", "SELECT"])
def test_statement_is_named_by_its_first_word(statement: str) -> None:
    assert describe("{{ cookiecutter.database }}", statement)[0] == "SELECT"


def test_resource_names_the_process(start: Start, collector: Collector) -> None:
    with start(otel_service_name="orders") as client:
        client.get("/nowhere")
    resource = collector.resource
    assert resource["service.name"] == "orders"
    assert resource["service.version"] == ABOUT.version
    assert resource["deployment.environment.name"] == "local"
    assert len(str(resource["service.instance.id"])) == 36


def test_trace_of_the_caller_goes_on(start: Start, collector: Collector) -> None:
    with start() as client:
        client.get(MISSING_USER, headers={"traceparent": SAMPLED, "tracestate": "a=lovelace"})
        client.get(MISSING_USER, headers={"traceparent": NOT_SAMPLED})
    request, *statements = collector.spans
    assert {statement.trace_id for statement in statements} == {request.trace_id}
    assert request.trace_id.hex() == TRACE_ID
    assert request.parent_span_id.hex() == SPAN_ID
    assert request.trace_state == ""


@pytest.mark.parametrize(("share", "least", "most"), [(0, 0, 0), (0.5, 1, 39), (1, 40, 40)])
def test_share_of_traces_is_recorded(
    start: Start, collector: Collector, share: float, least: int, most: int
) -> None:
    with start(otel_traces_sampler_arg=share) as client:
        for _ in range(40):
            client.get("/nowhere")
    assert least <= len(collector.spans) <= most


def test_fault_is_an_error_without_its_text(start: Start, collector: Collector) -> None:
    with start() as client:
        assert client.get("/fault").status_code == 500
    (span,) = collector.spans
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert attributes(span.attributes)["error.type"] == "500"
    assert span.status.message == ""
    assert not span.events


def test_failed_statement_is_an_error_with_its_type_alone(
    start: Start, collector: Collector
) -> None:
    with start() as client:
        assert [client.post(USERS, json=ADA).status_code for _ in range(2)] == [201, 409]
    (failed,) = (it for it in collector.spans if it.status.code == Status.STATUS_CODE_ERROR)
    assert failed.name == "INSERT"
    assert failed.status.message == ""
    assert "error.type" in attributes(failed.attributes)


def test_line_of_the_log_has_the_ids_of_its_span(
    start: Start, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(JsonFormatter())
    caplog.set_level(logging.INFO)
    with start() as client:
        client.get("/fault", headers={"X-Request-ID": "abc"})
        logging.getLogger("outside").warning("of no request")
    (span,) = collector.spans
    lines = [json.loads(line) for line in caplog.text.splitlines()]
    (line,) = (line for line in lines if line["logger"] == "app.access")
    assert line["trace_id"] == span.trace_id.hex()
    assert line["span_id"] == span.span_id.hex()
    assert line["request_id"] == "abc"
    (outside,) = (line for line in lines if line["logger"] == "outside")
    assert "trace_id" not in outside


def test_line_of_the_log_is_exported(start: Start, collector: Collector) -> None:
    logging.getLogger("owner").setLevel(logging.INFO)
    with start() as client:
        client.get("/fault", headers={"X-Request-ID": "abc"})
    (span,) = collector.spans
    (record,) = (record for record in collector.logs if record.body.string_value == "an order")
    assert record.trace_id == span.trace_id
    assert record.span_id == span.span_id
    assert record.severity_text == "WARNING"
    fields = attributes(record.attributes)
    assert fields["order_id"] == 5
    assert fields["items"] == '["a"]'
    assert fields["request_id"] == "abc"
    assert fields["logger"] == "owner"


def test_headers_are_sent(start: Start, collector: Collector) -> None:
    with start(otel_exporter_otlp_headers=SecretStr("api-key=a%20b")) as client:
        client.get("/nowhere")
    assert {headers["api-key"] for headers in collector.headers} == {"a b"}


def test_opentelemetry_can_be_disabled(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with start() as client:
        assert client.get("/nowhere").status_code == 404
    assert not collector.bodies


def test_without_an_endpoint_nothing_is_recorded(app: FastAPI, client: TestClient) -> None:
    client.get("/nowhere")
    assert not app.state.telemetry.is_tracing
