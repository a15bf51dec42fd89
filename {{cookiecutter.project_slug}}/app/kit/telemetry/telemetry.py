"""What records and exports traces, metrics and logs while the service runs."""

import asyncio
import logging
import platform
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from threading import Thread
from time import monotonic
from typing import cast
from uuid import uuid4

from fastapi.telemetry import TelemetryConfig
from opentelemetry import metrics, trace
from opentelemetry.metrics import Meter, NoOpMeter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, Tracer, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

from app.kit.telemetry.logs import exporting_logs, marking_lines
from app.kit.telemetry.measures import measuring_loop
from app.kit.telemetry.requests import RequestMeterProvider
from app.kit.telemetry.settings import Signal, TelemetrySettings, split_headers
from app.kit.telemetry.statements import tracing_statements

# How long the end of the process waits for a collector that is slow or away.
FLUSH_SECONDS = 2
# It warns of each item that a full queue drops, in the middle of the request.
logging.getLogger("opentelemetry.sdk._shared_internal").setLevel(logging.ERROR)


class CurrentProcessor(SpanProcessor):
    """Passes spans to the processor of the running service; before and after, to none."""

    def __init__(self) -> None:
        self.target = SpanProcessor()

    def on_end(self, span: ReadableSpan) -> None:
        """Pass on a span that has ended."""
        self.target.on_end(span)

    def shutdown(self) -> None:
        """Send what is left."""
        self.target.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what there is."""
        return self.target.force_flush(timeout_millis)


class Telemetry:
    """The providers of this process. Without an endpoint and a port, nothing is recorded.

    Requests to paths that begin with ``untraced`` are not traced. Exporters are imported where they
    are made: protobuf, requests and Prometheus take a tenth of the time of a start.
    """

    def __init__(self, settings: TelemetrySettings, *, version: str, untraced: str) -> None:
        self._settings = settings
        self._headers = split_headers(settings.otel_exporter_otlp_headers.get_secret_value())
        self._resource = Resource.create(
            {
                "service.name": settings.otel_service_name,
                "service.version": version,
                "service.instance.id": str(uuid4()),
                "deployment.environment.name": settings.environment,
                "process.runtime.name": platform.python_implementation().lower(),
                "process.runtime.version": platform.python_version(),
            }
        )
        self._spans = CurrentProcessor()
        self.untraced = untraced
        self._ratio = TraceIdRatioBased(settings.otel_traces_sampler_arg)
        self.tracer_provider = TracerProvider(
            sampler=ParentBased(self._ratio),
            resource=self._resource,
            shutdown_on_exit=False,
        )
        self.tracer_provider.add_span_processor(self._spans)
        self._scope = InstrumentationScope("app", version)
        tracer = self.tracer_provider.get_tracer("app", version)
        self._is_enabled = isinstance(tracer, Tracer)  # not with OTEL_SDK_DISABLED=true
        self.tracer = cast(Tracer, tracer)
        self._requests = RequestMeterProvider(self._resource)
        self.request_meter = self._requests.get_meter("app", version)
        self.meter: Meter = NoOpMeter("app")  # until it runs

    @property
    def is_tracing(self) -> bool:
        """Whether traces are sent."""
        return self._endpoint_of("traces") is not None

    @property
    def is_measuring(self) -> bool:
        """Whether metrics are sent or served."""
        is_served = self._settings.otel_exporter_prometheus_port is not None
        return self._is_enabled and (is_served or self._endpoint_of("metrics") is not None)

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool:
        """Return whether a trace is recorded: as the caller has decided, or a share of all."""
        if parent is not None:
            return parent.trace_flags.sampled
        return trace_id & self._ratio.TRACE_ID_LIMIT < self._ratio.bound

    def config(self) -> TelemetryConfig:
        """Return the settings for ``FastAPI``, whose telemetry ``TelemetryMiddleware`` replaces."""
        return {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Export until exit, and then what is left for at most ``FLUSH_SECONDS``."""
        closers: list[Callable[[], object]] = []
        with ExitStack() as stack:
            self._start_traces(stack, closers)
            self._start_logs(stack, closers)
            self._start_metrics(stack, closers)
            try:
                async with measuring_loop(self.meter):
                    yield
            finally:
                await close_in_time(closers)
                self._spans.target = SpanProcessor()
                self.meter = NoOpMeter("app")

    def _endpoint_of(self, signal: Signal) -> str | None:
        return self._settings.endpoint_of(signal) if self._is_enabled else None

    def _start_traces(self, stack: ExitStack, closers: list[Callable[[], object]]) -> None:
        endpoint = self._endpoint_of("traces")
        if endpoint is None:
            return
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            trace.set_tracer_provider(self.tracer_provider)  # for spans of the owner
        from app.kit.telemetry.spans import SpanExporter

        exporter = SpanExporter(endpoint, headers=self._headers)
        self._spans.target = BatchSpanProcessor(exporter)
        closers.append(self.tracer_provider.shutdown)  # and the processors of the owner
        stack.enter_context(tracing_statements(self.tracer, self._scope))
        stack.enter_context(marking_lines())

    def _start_logs(self, stack: ExitStack, closers: list[Callable[[], object]]) -> None:
        endpoint = self._endpoint_of("logs")
        if endpoint is None:
            return
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        provider = LoggerProvider(self._resource, shutdown_on_exit=False)
        exporter = OTLPLogExporter(endpoint, headers=self._headers)
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
        closers.append(provider.shutdown)
        stack.enter_context(exporting_logs(provider))

    def _start_metrics(self, stack: ExitStack, closers: list[Callable[[], object]]) -> None:
        if not self.is_measuring:
            return
        from app.kit.telemetry.readers import CollectorReader, PrometheusReader, serving_metrics

        readers: list[MetricReader] = []
        if endpoint := self._endpoint_of("metrics"):
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

            exporter = OTLPMetricExporter(endpoint, headers=self._headers)
            readers.append(CollectorReader(exporter, self._requests))
        if port := self._settings.otel_exporter_prometheus_port:
            from prometheus_client import CollectorRegistry

            registry = CollectorRegistry()
            readers.append(PrometheusReader(registry, self._requests))
            host = self._settings.otel_exporter_prometheus_host
            stack.enter_context(serving_metrics(registry, host, port))
        provider = MeterProvider(
            readers,
            resource=self._resource,
            exemplar_filter=AlwaysOffExemplarFilter(),  # they would cost more than the metrics
            shutdown_on_exit=False,
        )
        if not isinstance(metrics.get_meter_provider(), MeterProvider):
            metrics.set_meter_provider(provider)  # for metrics of the owner
        self.meter = provider.get_meter("app")
        closers.append(provider.shutdown)


async def close_in_time(closers: list[Callable[[], object]]) -> None:
    """Call all at once, each in its own thread; do not wait longer than ``FLUSH_SECONDS``.

    The threads end with the process: a collector that hangs must not keep it.
    """
    threads = [Thread(target=close, daemon=True) for close in closers]
    for thread in threads:
        thread.start()
    give_up_at = monotonic() + FLUSH_SECONDS
    while any(thread.is_alive() for thread in threads) and monotonic() < give_up_at:
        await asyncio.sleep(0.005)
