"""Recipes."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from typing import Annotated

from fastapi import APIRouter, Query

from app.api.deps import DatabaseDep, IdPath, PageDep
from app.api.permissions import RESTRICTED, SUBMITTER_FAILURES, OwnRecipesDep
from app.crud.crud_recipe import recipe
from app.kit.http.openapi import failures
from app.kit.schemas import Page, Spelling, Text
from app.schemas.recipe import RecipeCreate, RecipeMatches, RecipeRead, RecipeUpdate

router = APIRouter(prefix="/recipes", tags=["recipes"])


@router.get("/")
async def list_recipes(db: DatabaseDep, page: PageDep) -> Page[RecipeRead]:
    """List recipes in the order of their ids."""
    async with db.read() as connection:
        rows = await recipe.get_multi(connection, page)
    return Page[RecipeRead].model_validate(rows)


@router.post("/", status_code=201, responses=failures(409))
async def create_recipe(db: DatabaseDep, own: OwnRecipesDep, new: RecipeCreate) -> RecipeRead:
    """Add a recipe."""
    async with db.single_statement() as connection:
        row = await own.create(connection, new)
    return RecipeRead.model_validate(row)


@router.get("/search")
async def search_recipes(
    db: DatabaseDep,
    keyword: Annotated[Text, Query(min_length=3)],
    max_results: Annotated[int, Query(ge=1, le=100), Spelling] = 10,
) -> RecipeMatches:
    """Find recipes whose label contains the keyword, ignoring case."""
    async with db.read() as connection:
        rows = await recipe.search(connection, keyword=keyword, limit=max_results)
    return RecipeMatches.model_validate({"items": rows})


@router.get("/{id}")
async def read_recipe(db: DatabaseDep, id: IdPath) -> RecipeRead:
    """Return one recipe."""
    async with db.read() as connection:
        row = await recipe.get(connection, id)
    return RecipeRead.model_validate(row)


@router.put("/{id}", responses=RESTRICTED | SUBMITTER_FAILURES)
async def replace_recipe(
    db: DatabaseDep, own: OwnRecipesDep, id: IdPath, new: RecipeCreate
) -> RecipeRead:
    """Replace all fields of a recipe."""
    async with db.transaction() as connection:
        row = await own.replace(connection, id, new)
    return RecipeRead.model_validate(row)


@router.patch("/{id}", responses=RESTRICTED | SUBMITTER_FAILURES)
async def update_recipe(
    db: DatabaseDep, own: OwnRecipesDep, id: IdPath, changes: RecipeUpdate
) -> RecipeRead:
    """Change the given fields of a recipe; keep the others."""
    async with db.transaction() as connection:
        row = await own.update(connection, id, changes)
    return RecipeRead.model_validate(row)


# 409: once another resource refers to it.
@router.delete("/{id}", status_code=204, responses=RESTRICTED | failures(409))
async def delete_recipe(db: DatabaseDep, own: OwnRecipesDep, id: IdPath) -> None:
    """Delete a recipe."""
    async with db.transaction() as connection:
        await own.remove(connection, id)


# {%- endfilter +%}
