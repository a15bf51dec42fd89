"""The recipes that the caller may change, for endpoints."""

from typing import Annotated

from fastapi import Depends

from app.api.auth import CurrentUser
from app.crud.own_recipes import OwnRecipes


async def get_own_recipes(caller: CurrentUser) -> OwnRecipes:
    """Return the caller's recipes; a superuser's are all."""
    return OwnRecipes(caller.id, is_superuser=caller.is_superuser)


OwnRecipesDep = Annotated[OwnRecipes, Depends(get_own_recipes)]
