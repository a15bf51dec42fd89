"""The recipes that the caller may change, for endpoints."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from typing import Annotated

from fastapi import Depends

from app.api.auth import CurrentUser
from app.crud.base import Record
from app.crud.crud_recipe import recipe
from app.kit.db.engine import AsyncConnection
from app.kit.errors import ForbiddenError
from app.schemas.recipe import RecipeCreate, RecipeUpdate
from app.schemas.user import UserRead


class OwnRecipes:
    """The recipes of one submitter, or all of them for a superuser.

    Who owns a recipe is asked in the transaction that changes it, and never changes itself.
    """

    def __init__(self, caller: UserRead) -> None:
        self._caller = caller

    async def get(self, connection: AsyncConnection, id: int) -> Record:
        """Return one; raise ``NotFoundError`` or ``ForbiddenError``."""
        row = await recipe.get(connection, id)
        if not self._caller.is_superuser and row.submitter_id != self._caller.id:
            raise ForbiddenError("only its submitter and superusers may change a recipe")
        return row

    async def replace(self, connection: AsyncConnection, id: int, new: RecipeCreate) -> Record:
        """Change all of it and return the row; raise ``NotFoundError`` or ``ForbiddenError``."""
        await self.get(connection, id)
        return await recipe.replace(connection, id, new)

    async def update(self, connection: AsyncConnection, id: int, changes: RecipeUpdate) -> Record:
        """Change what was sent and return the row; raise ``NotFoundError`` or ``ForbiddenError``."""
        await self.get(connection, id)
        return await recipe.update(connection, id, changes)

    async def remove(self, connection: AsyncConnection, id: int) -> None:
        """Delete it; raise ``NotFoundError`` or ``ForbiddenError``."""
        await self.get(connection, id)
        await recipe.remove(connection, id)


# {% endfilter %}
async def get_own_recipes(caller: CurrentUser) -> OwnRecipes:
    """Return the caller's recipes; a superuser's are all."""
    return OwnRecipes(caller)


OwnRecipesDep = Annotated[OwnRecipes, Depends(get_own_recipes)]
