# {% if cookiecutter.auth %}
"""Permissions, as dependencies for the signatures of endpoints."""

# {% filter replace("Async", cookiecutter.__Async) %}
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from app.api.deps import DatabaseDep
from app.core.config import API_PREFIX
from app.crud.crud_recipe import recipe  # example
from app.crud.crud_session import session
from app.kit.auth.tokens import Tokens
from app.kit.db.database import Executor  # example
from app.kit.db.engine import AsyncConnection  # example
from app.kit.db.model import Record
from app.kit.errors import ForbiddenError, UnauthorizedError
from app.kit.http.openapi import failures
from app.kit.http.state import lifespan_state
from app.schemas.recipe import RecipeCreate, RecipeUpdate  # example
from app.schemas.user import UserRead

# {% endfilter %}
# Relative, so that the login form of /docs also works behind a proxy's prefix.
LOGIN_URL = f"{API_PREFIX}/auth/login".removeprefix("/")
BearerDep = Annotated[str, Depends(OAuth2PasswordBearer(LOGIN_URL))]


async def get_tokens(request: Request) -> Tokens:
    """Return the signer of tokens that the lifespan opened."""
    return lifespan_state(request.scope)["tokens"]


TokensDep = Annotated[Tokens, Depends(get_tokens)]


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
async def current_user(db: DatabaseDep, tokens: TokensDep, token: BearerDep) -> UserRead:
    """Return the user of the access token; raise ``UnauthorizedError``.

    Query the session each time: a logout, a revocation or a deleted user takes effect at once.
    """
    claims = tokens.read(token, "access")
    async with db.read() as connection:
        row = await session.get_user(connection, claims)
    if row is None:
        raise UnauthorizedError("session expired or revoked")
    return UserRead.model_validate(row)


CurrentUser = Annotated[UserRead, Depends(current_user)]


def check_owner(caller: UserRead, row: Record, column: str = "owner_id") -> None:
    """Raise ``ForbiddenError`` unless the caller owns the record or is a superuser."""
    if not caller.is_superuser and getattr(row, column) != caller.id:
        raise ForbiddenError("only its owner and superusers may change this")


# example: permissions of recipes


class OwnRecipes:
    """The recipes that the caller may change: their own, and all for a superuser.

    The methods check the submitter, which never changes, in the transaction of the change.
    """

    def __init__(self, caller: UserRead) -> None:
        self._caller = caller

    async def get(self, connection: AsyncConnection, id: int) -> Record:
        """Return one recipe; raise ``NotFoundError`` or ``ForbiddenError``."""
        row = await recipe.get(connection, id)
        check_owner(self._caller, row, "submitter_id")
        return row

    async def create(self, connection: Executor, new: RecipeCreate) -> Record:
        """Insert a recipe with the caller as its submitter and return the row."""
        return await recipe.create(connection, new, {"submitter_id": self._caller.id})

    async def replace(self, connection: AsyncConnection, id: int, new: RecipeCreate) -> Record:
        """Change all fields and return the row; raise ``NotFoundError`` or ``ForbiddenError``."""
        await self.get(connection, id)
        return await recipe.replace(connection, id, new)

    async def update(self, connection: AsyncConnection, id: int, changes: RecipeUpdate) -> Record:
        """Change the given fields and return the row; raise as ``replace`` does."""
        await self.get(connection, id)
        return await recipe.update(connection, id, changes)

    async def remove(self, connection: AsyncConnection, id: int) -> None:
        """Delete one recipe; raise ``NotFoundError`` or ``ForbiddenError``."""
        await self.get(connection, id)
        await recipe.remove(connection, id)


# end of the example
# {% endfilter %}
async def superuser(caller: CurrentUser) -> UserRead:
    """Return the caller; raise ``ForbiddenError`` unless they are a superuser."""
    if not caller.is_superuser:
        raise ForbiddenError("only superusers may do this")
    return caller


async def get_caller_id(caller: CurrentUser) -> int | None:
    """Return the id of the caller."""
    return caller.id


async def get_visible_owner(caller: CurrentUser) -> int | None:
    """Return the owner of the records that the caller may see; None means all records."""
    return None if caller.is_superuser else caller.id


Superuser = Annotated[UserRead, Depends(superuser)]
CallerId = Annotated[int | None, Depends(get_caller_id)]
VisibleOwner = Annotated[int | None, Depends(get_visible_owner)]
# For routers: the dependencies of all their routes, and the failures that these add.
SUPERUSERS_ONLY = [Depends(superuser)]
RESTRICTED = failures(403)
# example: permissions of recipes


async def get_own_recipes(caller: CurrentUser) -> OwnRecipes:
    """Return the recipes that the caller may change."""
    return OwnRecipes(caller)


OwnRecipesDep = Annotated[OwnRecipes, Depends(get_own_recipes)]
# The body refers to no other record, so there is no 409.
SUBMITTER_FAILURES = failures()
# end of the example
# {% else %}
"""Permissions, as dependencies of endpoints; without accounts, any caller may do anything."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends
from fastapi.params import Depends as Dependency

from app.crud.crud_recipe import CRUDRecipe, recipe  # example
from app.kit.http.openapi import failures


async def get_nobody() -> int | None:
    """Return None: no record has an owner, and all are visible."""
    return None


CallerId = Annotated[int | None, Depends(get_nobody)]
VisibleOwner = Annotated[int | None, Depends(get_nobody)]
# For routers: the dependencies of all their routes, and the failures that these add.
SUPERUSERS_ONLY: Sequence[Dependency] = ()
RESTRICTED = failures()
# example: permissions of recipes


async def get_own_recipes() -> CRUDRecipe:
    """Return the recipes that the caller may change: all."""
    return recipe


OwnRecipesDep = Annotated[CRUDRecipe, Depends(get_own_recipes)]
# The body names the submitter, which may not exist.
SUBMITTER_FAILURES = failures(409)
# end of the example
# {% endif %}
