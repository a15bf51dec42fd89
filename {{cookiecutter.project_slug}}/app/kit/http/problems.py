"""Answer every failure with a problem (RFC 9457), which has the id of the request."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from itertools import islice
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
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    PreconditionRequiredError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnprocessableError,
)
from app.kit.logging import request_id

# Looked up along the class hierarchy: a subclass has the status of its base class.
STATUS: dict[type[DomainError], int] = {
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    PreconditionFailedError: 412,
    TooLargeError: 413,
    UnprocessableError: 422,
    PreconditionRequiredError: 428,
    UnavailableError: 503,
}
HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": "1"},  # seconds
}
# These two were renamed in RFC 9110, which Python follows from 3.13 on.
TITLES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",
    422: "Unprocessable Content",
}
# One body can have thousands of invalid fields.
MAX_ERRORS = 20
MAX_NAME_LENGTH = 100  # of an unknown field, whose name comes from the client


class FieldError(BaseModel):
    """One invalid field of a request."""

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
    """Return the response for a failure."""
    body = Problem(
        title=TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        request_id=request_id.get(),
        errors=errors,
    )
    return ProblemResponse(body.model_dump(exclude_none=True), status, headers)


async def domain_error(_: Request, error: DomainError) -> ProblemResponse:
    """Answer a domain error with the status code of its class, or of the nearest base class."""
    bases = (kind for kind in type(error).__mro__ if issubclass(kind, DomainError))
    status = next(STATUS[kind] for kind in bases if kind in STATUS)
    return problem(status, str(error), headers=HEADERS.get(status))


async def http_error(request: Request, error: HTTPException) -> ProblemResponse:
    """Answer an error that FastAPI or Starlette raises."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_allowed_methods(request)))
    return problem(error.status_code, str(error.detail), headers=headers)


async def invalid(_: Request, error: RequestValidationError) -> ProblemResponse:
    """Name the invalid fields and the rules they break; never repeat a value."""
    # Each once: a parameter of several dependencies is validated once for each of them.
    wrong = dict.fromkeys((_field(e), _message(e)) for e in islice(error.errors(), MAX_ERRORS))
    errors = [FieldError(field=_printable(f), message=_printable(m)) for f, m in wrong]
    return problem(422, "invalid request; see errors", errors=errors)


async def unhandled(_: Request, _error: Exception) -> ProblemResponse:
    """Answer an unexpected error; only the log has the reason."""
    # The server closes the connection after such an error, so tell the client.
    return problem(500, headers={"Connection": "close"})


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of all routes with this path; Starlette knows only those of one route."""
    methods = {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    } or {"GET"}  # a mount, which serves files
    return methods | {"HEAD"} if "GET" in methods else methods


def _field(error: dict[str, Any]) -> str:
    """Return the path of the field; for broken JSON, ``loc`` holds a position in the text."""
    path = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"]
    return ".".join(str(name)[:MAX_NAME_LENGTH] for name in path)


def _message(error: dict[str, Any]) -> str:
    """Return the broken rule, without the value that some validators repeat after a colon."""
    if error["loc"] == ("body",) and error["type"] == "model_attributes_type":
        return "must be a JSON object, sent as application/json"
    if error["type"] == "extra_forbidden":
        return "unknown field"
    if error["type"] == "value_error":
        return error["msg"].partition(": ")[0].removeprefix("Value error, ")
    return error["msg"]


def _printable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
HANDLERS: dict[int | type[Exception], Handler] = {
    DomainError: domain_error,
    HTTPException: http_error,
    RequestValidationError: invalid,
    # For errors in a middleware; main.py has the handler of those in endpoints.
    Exception: unhandled,
}
