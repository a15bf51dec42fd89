"""The OpenAPI document, true to what failures look like."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI


def describe_problems(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return ``app.openapi`` with failures under the media type they are sent with."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        document = build()  # built anew whenever a route was added
        for path in document["paths"].values():
            for operation in path.values():
                _move_problems(operation["responses"])
        return document

    return openapi


def _move_problems(responses: dict[str, dict[str, Any]]) -> None:
    for status, response in responses.items():
        content = response.get("content", {})
        if status >= "400" and "application/json" in content:
            content["application/problem+json"] = content.pop("application/json")
