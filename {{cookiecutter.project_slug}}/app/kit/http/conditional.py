"""Conditional requests (RFC 9110, 13): change what the client has seen, and send only what is new.

The ETag of a record is its version: see ``app.kit.db.versioned``.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import FromClause, bindparam, select

from app.kit.db.engine import AsyncConnection
from app.kit.errors import PreconditionFailedError, PreconditionRequiredError

# {% endfilter %}
TAG = re.compile(r'(?:W/)?"[^"]*"')
# A list of entity tags, or any; white space may surround the commas.
TAGS = r'^(?:\*|(?:W/)?"[^"]*"(?:[ \t]*,[ \t]*(?:W/)?"[^"]*")*)$'
ETAG_HEADER = {"description": "the version of the record", "schema": {"type": "string"}}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def with_etag(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route that sends the ETag of a record with these statuses."""
    return {status: {"headers": {"ETag": ETAG_HEADER}} for status in statuses}


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def set_etag(response: Response, version: int) -> None:
    """Send the entity tag of a version with the response."""
    response.headers["ETag"] = etag(version)


class ConditionalRoute(APIRoute):
    """Answers 304 if the client has the version that the endpoint sends the ETag of.

    A router uses it for all its routes: ``APIRouter(route_class=ConditionalRoute)``.
    """

    def get_route_handler(self) -> Handler:
        """Wrap the endpoint."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            response = await handle(request)
            if response.status_code != 200 or request.method not in {"GET", "HEAD"}:
                return response
            return _unless_known(request, response)

        return handler


def _unless_known(request: Request, response: Response) -> Response:
    known, tag = request.headers.get("If-None-Match"), response.headers.get("ETag")
    if known is None or tag is None:
        return response
    # Proxies that compress make tags weak: these match here, but not in `If-Match` (13.1.1).
    if known != "*" and tag not in {it.removeprefix("W/") for it in TAG.findall(known)}:
        return response
    kept = {name: it for name, it in response.headers.items() if not name.startswith("content-")}
    return Response(status_code=304, headers=kept, background=response.background)


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
class IfMatch:
    """The versions that a client wants to change; ``*`` is any."""

    def __init__(self, tags: str) -> None:
        self._tags = None if tags == "*" else TAG.findall(tags)

    async def check(self, connection: AsyncConnection, table: FromClause, id: int) -> None:
        """Raise ``PreconditionFailedError`` if the record has another version.

        Lock the record until the transaction ends, so that no other request changes it between the
        check and the change. A record that does not exist is left to the change to report.
        """
        if self._tags is None:
            return
        statement = select(table.c.version).where(table.c.id == bindparam("key")).with_for_update()
        result = await connection.execute(statement, {"key": id})
        row = result.one_or_none()
        if row is not None and etag(row.version) not in self._tags:
            raise PreconditionFailedError("the record has changed: read it again")


# {% endfilter %}
async def get_if_match(
    if_match: Annotated[
        str | SkipJsonSchema[None],
        Header(pattern=TAGS, max_length=1000, description="the `ETag` to change; `*` is any"),
    ] = None,
) -> IfMatch:
    """Return the condition of the request; raise ``PreconditionRequiredError`` if it has none.

    If it were optional, a client that forgets it would overwrite the changes of others.
    """
    if if_match is None:
        raise PreconditionRequiredError("send If-Match with the ETag of the record, or * for any")
    return IfMatch(if_match)


IfMatchDep = Annotated[IfMatch, Depends(get_if_match)]
