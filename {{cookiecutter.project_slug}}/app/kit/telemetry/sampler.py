"""Decide which traces are recorded."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

TRACE_ID_BITS = 64
DROPPED = SamplingResult(Decision.DROP)


class TraceSampler(Sampler):
    """Records a share of the traces; a caller that has decided already is followed.

    ``tracestate`` of callers is dropped: its text could be anything.
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._bound = round(ratio * 2**TRACE_ID_BITS)

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool:
        """Return whether a span is recorded."""
        if parent is not None:
            return parent.trace_flags.sampled
        # As OpenTelemetry's own sampler: services with the same share agree.
        return trace_id % 2**TRACE_ID_BITS < self._bound

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide about a span that the SDK makes."""
        parent = get_current_span(parent_context).get_span_context()
        if self.is_sampled(parent if parent.is_valid else None, trace_id):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return DROPPED

    def get_description(self) -> str:
        """Return a name for humans."""
        return f"TraceSampler({self._ratio})"
