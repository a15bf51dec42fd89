"""Recipes in the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from collections.abc import Sequence

from sqlalchemy import bindparam, select

from app.crud.base import CRUDBase
from app.kit.db.database import Executor
from app.kit.db.dialect import dialect
from app.kit.db.model import Record
from app.models.recipe import Recipe
from app.schemas.recipe import RecipeCreate, RecipeUpdate

LITERAL = str.maketrans({"/": "//", "%": "/%", "_": "/_"})


class CRUDRecipe(CRUDBase[Recipe, RecipeCreate, RecipeUpdate]):
    """Recipes, which can also be searched."""

    def __init__(self) -> None:
        super().__init__(Recipe)
        keyword = dialect.fold_case(bindparam("keyword"))
        self._search = (
            select(self.table)
            .where(dialect.fold_case(Recipe.label).contains(keyword, escape="/"))
            .order_by(Recipe.id)
            .limit(bindparam("limit"))
        )

    async def search(
        self,
        connection: Executor,
        *,
        keyword: str,
        limit: int,
    ) -> Sequence[Record]:
        """Return up to ``limit`` recipes whose label contains ``keyword``, ignoring case."""
        values = {"keyword": keyword.translate(LITERAL), "limit": limit}
        result = await connection.execute(self._search, values)
        return result.all()


recipe = CRUDRecipe()

# {%- endfilter +%}
