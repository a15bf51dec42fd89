"""Every failure as a problem (RFC 9457), from one table."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.kit.errors import (
    ConflictError,
    DomainError,
    # {% if cookiecutter.auth %}
    ForbiddenError,
    # {% endif %}
    MissingReferenceError,
    NotFoundError,
    # {% if cookiecutter.job_queue != "none" %}
    TooLargeError,  # example
    # {% endif %}
    # {% if cookiecutter.auth %}
    UnauthorizedError,
    # {% endif %}
    UnavailableError,
    # {% if cookiecutter.job_queue != "none" %}
    UnsuitableImageError,  # example
    # {% endif %}
)
from app.kit.logging import request_id

STATUS: dict[type[DomainError], int] = {
    # {% if cookiecutter.auth %}
    UnauthorizedError: 401,
    ForbiddenError: 403,
    # {% endif %}
    NotFoundError: 404,
    ConflictError: 409,
    MissingReferenceError: 409,  # the request is valid: what it contradicts is what is stored
    UnavailableError: 503,
    # {% if cookiecutter.job_queue != "none" %}
    TooLargeError: 413,  # example
    UnsuitableImageError: 422,  # example
    # {% endif %}
}
# These two were renamed in RFC 9110, which Python follows from 3.13 on.
TITLES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",
    422: "Unprocessable Content",
}
HEADERS: dict[type[DomainError], dict[str, str]] = {
    # {% if cookiecutter.auth %}
    UnauthorizedError: {"WWW-Authenticate": "Bearer"},
    # {% endif %}
    UnavailableError: {"Retry-After": "1"},  # seconds
}


class FieldError(BaseModel):
    """What is wrong with one part of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """The body of every failure."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    request_id: str | None = None
    errors: list[FieldError] | None = None


class ProblemResponse(JSONResponse):
    """A problem under its own media type."""

    media_type = "application/problem+json"


def problem(
    status: int,
    detail: str | None = None,
    *,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> ProblemResponse:
    """Build the response of a failure."""
    body = Problem(
        title=TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        request_id=request_id.get(),
        errors=errors,
    )
    return ProblemResponse(body.model_dump(exclude_none=True), status, headers)


async def domain_error(_: Request, error: DomainError) -> ProblemResponse:
    """Answer by the table."""
    return problem(STATUS[type(error)], str(error), headers=HEADERS.get(type(error)))


async def http_error(request: Request, error: HTTPException) -> ProblemResponse:
    """Answer the framework's own refusals."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_allowed_methods(request)))
    return problem(error.status_code, str(error.detail), headers=headers)


async def invalid(_: Request, error: RequestValidationError) -> ProblemResponse:
    """Say which field is wrong and why, never what was sent."""
    # Once each: what several dependencies read is judged for every one of them.
    wrong = dict.fromkeys((_field(e), _message(e)) for e in error.errors())
    errors = [FieldError(field=_printable(f), message=_printable(m)) for f, m in wrong]
    return problem(422, "the request is not valid", errors=errors)


async def unhandled(_: Request, _error: Exception) -> ProblemResponse:
    """Admit a fault of ours and keep its reason in the log."""
    # The server closes the connection when it hears of the error, so the client should know.
    return problem(500, headers={"Connection": "close"})


def _allowed_methods(request: Request) -> set[str]:
    """Collect the methods of all routes with this path; the framework names those of the first."""
    methods = {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    } or {"GET"}  # below a mount, which holds files
    return methods | {"HEAD"} if "GET" in methods else methods


def _field(error: dict[str, Any]) -> str:
    """Name the field; of broken JSON, the place in the text is none."""
    place = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"]
    return ".".join(map(str, place))


def _message(error: dict[str, Any]) -> str:
    """Cut what validators say behind a colon, where Python and others repeat the value."""
    message = error["msg"]
    if error["loc"] == ("body",) and error["type"] == "model_attributes_type":
        return "must be a JSON object, sent as application/json"
    return message.partition(": ")[0] if error["type"] == "value_error" else message


def _printable(text: str) -> str:
    """Replace what UTF-8 cannot express: a client may send half of a surrogate pair."""
    return text.encode(errors="replace").decode()


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
HANDLERS: dict[int | type[Exception], Handler] = {
    DomainError: domain_error,
    HTTPException: http_error,
    RequestValidationError: invalid,
    # For a fault in a middleware; those in endpoints are answered further in, see main.py.
    Exception: unhandled,
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem}
    for status in (
        400,
        404,
        408,
        409,
        413,
        422,
        # {% if cookiecutter.rate_limit %}
        429,
        # {% endif %}
        500,
        503,
    )
}
