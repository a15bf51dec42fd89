"""Correct and complete FastAPI's OpenAPI document.

Generated clients need this: failures are problems, each operation lists only the failures that it
can return, and an upload is a file.
"""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi.routing import APIRoute

from app.kit.http.problems import TITLES, Problem

Document = dict[str, Any]

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
IF_NONE_MATCH = {
    "name": "if-none-match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "title": "If-None-Match"},
    "description": "the `ETag` of the answer that the client has",
}
# FastAPI's own schemas of 422, which no response has.
REPLACED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route that may answer these failures.

    Routes declare what their code raises: 401, 403 and 409. The rest follows from the operation:
    400, 408 and 413 from a body, 401 from required credentials, 404 from an id in the path, 412
    and 428 from ``If-Match``, and 422 from any parameter or body.
    """
    return {status: {"model": Problem} for status in statuses}


def operation_id(route: APIRoute) -> str:
    """Name operations after their functions: generated clients use these names for methods."""
    return route.name


def improve(build: Callable[[], Document]) -> Callable[[], Document]:
    """Wrap ``app.openapi``."""

    def openapi() -> Document:
        document = build()  # the same object until a route is added
        for path in document["paths"].values():
            for operation in path.values():
                _describe_conditions(operation)
                _describe_failures(operation)
        schemas = document.get("components", {}).get("schemas", {})
        for name in REPLACED_SCHEMAS:
            schemas.pop(name, None)
        for upload in _uploads(schemas):
            upload["format"] = "binary"
        return document

    return openapi


def _describe_conditions(operation: Document) -> None:
    """Complete the headers of conditional requests: see ``app.kit.http.conditional``."""
    parameters = operation.get("parameters", [])
    if "304" in operation["responses"] and IF_NONE_MATCH not in parameters:
        parameters.append(IF_NONE_MATCH)
    for parameter in filter(_is_condition, parameters):
        parameter["required"] = True  # FastAPI would answer 422 without it, but 428 is for this


def _describe_failures(operation: Document) -> None:
    responses = operation["responses"]
    declared = {int(status) for status in responses if status >= "400"}
    for status in sorted(declared | _implied(operation)):
        response = {"description": TITLES[status]} | responses.pop(str(status), {})
        responses[str(status)] = response | {"content": PROBLEM}  # last, so in ascending order


def _implied(operation: Document) -> set[int]:
    """Return the failures that follow from an operation's parameters and body."""
    statuses = set()
    if "requestBody" in operation:
        statuses |= {400, 408, 413}
    if "security" in operation:
        statuses.add(401)
    if any(_is_id(parameter) for parameter in operation.get("parameters", ())):
        statuses.add(404)
    if any(_is_condition(parameter) for parameter in operation.get("parameters", ())):
        statuses |= {412, 428}
    return statuses


def _is_id(parameter: Document) -> bool:
    return parameter["in"] == "path" and parameter["schema"].get("type") == "integer"


def _is_condition(parameter: Document) -> bool:
    return parameter["in"] == "header" and parameter["name"] == "if-match"


def _uploads(schema: object) -> Iterator[Document]:
    """Find the files in schemas.

    OpenAPI 3.1 describes them by ``contentMediaType`` alone, which most client generators still
    read as text. They know ``format`` from 3.0, and 3.1 ignores it.
    """
    if isinstance(schema, dict):
        if schema.get("contentMediaType") == "application/octet-stream":
            yield schema
        for part in schema.values():
            yield from _uploads(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _uploads(part)
