"""Who calls and what they may do, for the signatures of endpoints."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.security import OAuth2PasswordBearer

from app.api.deps import DatabaseDep
from app.api.errors import Problem
from app.core.errors import ForbiddenError, UnauthorizedError
from app.core.security import Tokens
from app.crud.crud_auth import login
from app.schemas.user import UserRead

# What endpoints answer besides, for OpenAPI.
UNAUTHORIZED: dict[int | str, dict[str, Any]] = {401: {"model": Problem}}
REFUSALS = UNAUTHORIZED | {403: {"model": Problem}}

# Relative, so that the form of /docs finds it behind a proxy's prefix, too.
BearerDep = Annotated[str, Depends(OAuth2PasswordBearer("api/v1/auth/login"))]


async def get_tokens(request: Request) -> Tokens:
    """Return what signs and reads tokens."""
    return request.state.tokens


TokensDep = Annotated[Tokens, Depends(get_tokens)]


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def current_user(db: DatabaseDep, tokens: TokensDep, token: BearerDep) -> UserRead:
    """Return the user whose access token came along; raise ``UnauthorizedError``.

    One read sees to it that whoever was deleted or has logged out is out at once.
    """
    claims = tokens.read(token, "access")
    async with db.read() as connection:
        row = await login.get_user(connection, claims)
    if row is None:
        raise UnauthorizedError("the login has ended")
    return UserRead.model_validate(row)


# {% endfilter %}
CurrentUser = Annotated[UserRead, Depends(current_user)]


async def superuser(caller: CurrentUser) -> UserRead:
    """Return the caller; raise ``ForbiddenError`` unless it is a superuser."""
    if not caller.is_superuser:
        raise ForbiddenError("only a superuser may do this")
    return caller


Superuser = Annotated[UserRead, Depends(superuser)]


async def forbid_storing(response: Response) -> None:
    """Keep the answer out of all caches."""
    response.headers["Cache-Control"] = "no-store"
