"""Decide which traces are recorded, and keep personal data out of their spans."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

# All else may come from the client: path, query, Host.
PUBLIC = ("http.request.method", "url.scheme", "network.protocol.name", "network.protocol.version")
TRACE_ID_BITS = 64


class RequestSampler(Sampler):
    """Records a share of the traces; a caller that has decided already is followed.

    Requests to a path that begins with ``untraced`` are not recorded, and neither is what they
    cause. ``tracestate`` of callers is dropped: its text could be anything.
    """

    def __init__(self, ratio: float, *, untraced: str) -> None:
        self._ratio = ratio
        self._bound = round(ratio * 2**TRACE_ID_BITS)
        self._untraced = untraced

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
        """Decide about a span; return the attributes that it may have."""
        attributes = attributes or {}
        if kind is SpanKind.SERVER:
            if str(attributes.get("url.path", "")).startswith(self._untraced):
                return DROPPED
            attributes = {name: attributes[name] for name in PUBLIC if name in attributes}
        parent = get_current_span(parent_context).get_span_context()
        if parent.is_valid:
            is_sampled = parent.trace_flags.sampled
        else:  # as OpenTelemetry's own sampler: services with the same share agree
            is_sampled = trace_id % 2**TRACE_ID_BITS < self._bound
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes) if is_sampled else DROPPED

    def get_description(self) -> str:
        """Return a name for humans."""
        return f"RequestSampler({self._ratio})"


DROPPED = SamplingResult(Decision.DROP)
