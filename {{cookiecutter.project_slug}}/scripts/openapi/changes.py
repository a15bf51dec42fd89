"""Which changes of an OpenAPI document break clients.

The rules are those of oasdiff (https://www.oasdiff.com), a program in Go, where they concern
documents of FastAPI. A client may be generated: the names of operations and parameters count.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from scripts.openapi.schemas import RequestComparison, ResponseComparison

Document = dict[str, Any]


class Change(NamedTuple):
    """One change: the operation and the place in it, and what clients may no longer rely on."""

    operation: str
    place: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        return f"{self.operation}: {place}{self.reason}"


def breaking_changes(old: Document, new: Document) -> list[Change]:
    """Return the changes from one document to another that break clients of the first."""
    compare = _Comparison(old, new)
    return [
        Change(name, place, reason)
        for name, operation in _operations(old).items()
        for place, reason in compare.operation(operation, _operations(new).get(name))
    ]


def _operations(document: Document) -> dict[str, Document]:
    """Return the operations by method and path; a path has its parameters, too."""
    return {
        f"{method.upper()} {path}": {
            **operation,
            "parameters": [*item.get("parameters", ()), *operation.get("parameters", ())],
            "security": operation.get("security", document.get("security", [])),
        }
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    }


Findings = Iterator[tuple[str, str]]


class _Comparison:
    """Compares parts of two documents; yields places and reasons."""

    def __init__(self, old: Document, new: Document) -> None:
        self._requests = RequestComparison(old, new)
        self._responses = ResponseComparison(old, new)

    def operation(self, old: Document, new: Document | None) -> Findings:
        """Yield the places and reasons of the changes of one operation."""
        if new is None:
            yield "", "is gone"
            return
        if old.get("operationId") != (name := new.get("operationId")):
            yield "", f"its name is now {name}, which was {old.get('operationId')}"
        if not _still_enough(old["security"], new["security"]):
            yield "", "requires other credentials"
        yield from self._parameters(_by_name(old), _by_name(new))
        yield from self._request(old.get("requestBody", {}), new.get("requestBody", {}))
        for status, response in old["responses"].items():
            yield from self._response(status, response, new["responses"].get(status))

    def _parameters(self, old: dict[str, Document], new: dict[str, Document]) -> Findings:
        for name, parameter in old.items():
            if name not in new:
                yield name, "is gone"
            else:
                schemas = parameter.get("schema", {}), new[name].get("schema", {})
                yield from self._requests.compare(*schemas, name)
        for name, parameter in new.items():
            if parameter.get("required") and not old.get(name, {}).get("required"):
                yield name, "is required now"

    def _request(self, old: Document, new: Document) -> Findings:
        if old and not new:
            yield "request body", "is gone"
        elif new.get("required") and not old.get("required"):
            yield "request body", "is required now"
        else:
            yield from self._content(self._requests, old, new, "request body")

    def _response(self, status: str, old: Document, new: Document | None) -> Findings:
        if new is not None:
            yield from self._content(self._responses, old, new, f"response {status}")
        elif status < "400":
            yield f"response {status}", "is gone"

    def _content(
        self,
        schemas: RequestComparison | ResponseComparison,
        old: Document,
        new: Document,
        place: str,
    ) -> Findings:
        after = new.get("content", {})
        for media_type, body in old.get("content", {}).items():
            if media_type in after:
                pair = body.get("schema", {}), after[media_type].get("schema", {})
                yield from schemas.compare(*pair, place)
            else:
                yield place, f"is no longer {media_type}"


def _by_name(operation: Document) -> dict[str, Document]:
    return {f"{it['in']} parameter {it['name']}": it for it in operation["parameters"]}


def _still_enough(old: list[Document], new: list[Document]) -> bool:
    """Return whether all credentials that were enough still are; one of a list is enough."""
    return all(any(_includes(before, after) for after in new or [{}]) for before in old or [{}])


def _includes(credentials: Document, required: Document) -> bool:
    return all(
        name in credentials and set(scopes) <= set(credentials[name])
        for name, scopes in required.items()
    )
