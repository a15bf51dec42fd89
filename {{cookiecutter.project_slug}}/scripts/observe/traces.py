"""Traces that arrived by OTLP, as text."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

MAX_TRACES = 100


@dataclass(frozen=True)
class Recorded:
    """A span, and the process that recorded it."""

    span: Span
    process: str

    def __str__(self) -> str:
        milliseconds = (self.span.end_time_unix_nano - self.span.start_time_unix_nano) / 1e6
        failed = "  ERROR" if self.span.status.code == Status.STATUS_CODE_ERROR else ""
        return f"{self.span.name}  {milliseconds:,.1f} ms  {self.process}{failed}"


Trace: TypeAlias = dict[bytes, Recorded]  # by the ids of the spans


class Traces:
    """The last ``MAX_TRACES`` traces."""

    def __init__(self) -> None:
        self._traces: OrderedDict[bytes, Trace] = OrderedDict()
        self._lock = Lock()

    def add(self, body: bytes) -> None:
        """Add the spans of an export; raise ``ValueError`` if the body is none."""
        try:
            export = ExportTraceServiceRequest.FromString(body)
        except Exception as error:  # its type is in protobuf, which is no dependency of the service
            raise ValueError("not OTLP in protobuf") from error
        with self._lock:
            for resource in export.resource_spans:
                process = name_process(resource.resource)
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        trace = self._traces.setdefault(span.trace_id, {})
                        trace[span.span_id] = Recorded(span, process)
            while len(self._traces) > MAX_TRACES:
                self._traces.popitem(last=False)

    def __str__(self) -> str:
        with self._lock:
            traces = {id.hex(): dict(trace) for id, trace in reversed(self._traces.items())}
        lines = [f"Traces: {len(traces)}, the newest first."]
        for id, trace in traces.items():
            lines += ["", id, *tree(trace)]
        return "\n".join([*lines, ""])


def name_process(resource: Resource) -> str:
    """Return the name of the service, and the first digits of the id of its process."""
    texts = {it.key: it.value.string_value for it in resource.attributes}
    return f"{texts.get('service.name', '')} {texts.get('service.instance.id', '')[:8]}"


def tree(trace: Trace) -> Iterator[str]:
    """Yield a line for each span, below that of its parent."""
    children: dict[bytes, list[Recorded]] = {}
    for one in sorted(trace.values(), key=lambda it: it.span.start_time_unix_nano):
        parent = one.span.parent_span_id
        children.setdefault(parent if parent in trace else b"", []).append(one)

    def lines(parent: bytes, indent: str) -> Iterator[str]:
        for one in children.get(parent, ()):
            yield f"{indent}{one}"
            yield from lines(one.span.span_id, indent + "  ")

    return lines(b"", "  ")
