"""Count requests at a tenth of the cost of the SDK's instruments.

``TelemetryMiddleware`` uses this meter instead of the SDK's; what it counts joins the metrics of the SDK
at each export. Delete this module when recording a value takes the SDK less than a microsecond.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import inf
from time import time_ns

from opentelemetry.context import Context
from opentelemetry.metrics import (
    Histogram,
    Meter,
    MeterProvider,
    NoOpHistogram,
    NoOpMeter,
    NoOpUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.util.types import Attributes

# Of one metric; more are counted together. Routes, methods and statuses are far fewer.
MAX_SERIES = 2_000
OVERFLOW: Attributes = {"otel.metric.overflow": True}

Key = tuple[tuple[str, object], ...]


class Series:
    """One histogram: how many values there are below each bound, and their sum."""

    __slots__ = ("attributes", "buckets", "max", "min", "sum")

    def __init__(self, attributes: Attributes, buckets: int) -> None:
        self.attributes = dict(attributes or {})
        self.buckets = [0] * buckets
        self.sum = 0.0
        self.min = inf
        self.max = -inf


class RequestHistogram(NoOpHistogram):
    """Counts durations."""

    def __init__(self, name: str, unit: str, description: str, bounds: Sequence[float]) -> None:
        super().__init__(name, unit, description)
        self._names = name, description, unit
        self._bounds = tuple(bounds)
        self._series: dict[Key, Series] = {}
        self._since = time_ns()

    def record(
        self, amount: float, attributes: Attributes = None, context: Context | None = None
    ) -> None:
        """Count a value; only one thread, that of the event loop, does so."""
        key = tuple((attributes or {}).items())
        series = self._series.get(key) or self._add(key, attributes)
        series.buckets[bisect_left(self._bounds, amount)] += 1
        series.sum += amount
        if amount < series.min:  # noqa: PLR1730 (a call would take longer)
            series.min = amount
        if amount > series.max:  # noqa: PLR1730
            series.max = amount

    def _add(self, key: Key, attributes: Attributes) -> Series:
        if len(self._series) >= MAX_SERIES:
            key, attributes = (), OVERFLOW
        return self._series.setdefault(key, Series(attributes, len(self._bounds) + 1))

    def metric(self, now: int) -> export.Metric:
        """Return what was counted."""
        points = [
            export.HistogramDataPoint(
                attributes=series.attributes,
                start_time_unix_nano=self._since,
                time_unix_nano=now,
                count=sum(buckets),
                sum=series.sum,
                bucket_counts=buckets,
                explicit_bounds=self._bounds,
                min=series.min,
                max=series.max,
            )
            for series in tuple(self._series.values())
            for buckets in (tuple(series.buckets),)  # the loop counts meanwhile
        ]
        data = export.Histogram(points, export.AggregationTemporality.CUMULATIVE)
        return export.Metric(*self._names, data)


class RequestGauge(NoOpUpDownCounter):
    """Counts what is under way."""

    def __init__(self, name: str, unit: str, description: str) -> None:
        super().__init__(name, unit, description)
        self._names = name, description, unit
        self._values: dict[Key, float] = {}
        self._since = time_ns()

    def add(
        self, amount: float, attributes: Attributes = None, context: Context | None = None
    ) -> None:
        """Add 1 at the start and -1 at the end."""
        key = tuple((attributes or {}).items())
        self._values[key] = self._values.get(key, 0) + amount

    def metric(self, now: int) -> export.Metric:
        """Return how many are under way."""
        points = [
            export.NumberDataPoint(dict(key), self._since, now, value)  # ty: ignore[invalid-argument-type]
            for key, value in tuple(self._values.items())
        ]
        temporality = export.AggregationTemporality.CUMULATIVE
        return export.Metric(*self._names, export.Sum(points, temporality, is_monotonic=False))


class RequestMeter(NoOpMeter):
    """Makes the two instruments of requests."""

    def __init__(self, scope: InstrumentationScope) -> None:
        super().__init__(scope.name, scope.version, scope.schema_url)
        self.scope = scope
        self.instruments: dict[str, RequestHistogram | RequestGauge] = {}

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> Histogram:
        """Return a histogram with these bounds."""
        bounds = explicit_bucket_boundaries_advisory or ()
        made = RequestHistogram(name, unit, description, bounds)
        self.instruments[name] = made
        return made

    def create_up_down_counter(
        self, name: str, unit: str = "", description: str = ""
    ) -> UpDownCounter:
        """Return a counter of what is under way."""
        made = RequestGauge(name, unit, description)
        self.instruments[name] = made
        return made


class RequestMeterProvider(MeterProvider):
    """Gives the middleware its meter, and the metrics of this meter to the readers."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._meters: dict[str, RequestMeter] = {}

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Meter:
        """Return the meter of a library, always the same."""
        scope = InstrumentationScope(name, version, schema_url)
        return self._meters.setdefault(name, RequestMeter(scope))

    def added_to(self, data: export.MetricsData) -> export.MetricsData:
        """Return the metrics of the SDK and of requests together."""
        now = time_ns()
        scopes = [
            export.ScopeMetrics(
                meter.scope,
                [it.metric(now) for it in meter.instruments.values()],
                meter.scope.schema_url or "",
            )
            for meter in self._meters.values()
        ]
        # In one group: the exporter keeps only the last one of each resource.
        scopes += [scope for one in data.resource_metrics for scope in one.scope_metrics]
        together = export.ResourceMetrics(self._resource, scopes, self._resource.schema_url)
        return export.MetricsData([together])
