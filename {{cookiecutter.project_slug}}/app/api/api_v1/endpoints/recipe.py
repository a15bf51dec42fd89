"""Recipes."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from typing import Annotated

from fastapi import APIRouter, Query

# {% if cookiecutter.auth %}
from app.api.auth import CurrentUser
from app.api.deps import DatabaseDep, IdPath, PageDep
from app.api.own_recipes import OwnRecipesDep
# {% else %}
from app.api.deps import DatabaseDep, IdPath, PageDep
# {% endif %}
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


@router.get("/search")
async def search_recipes(
    db: DatabaseDep,
    keyword: Annotated[Text, Query(min_length=3)],
    max_results: Annotated[int, Query(ge=1, le=100), Spelling] = 10,
) -> RecipeMatches:
    """Find recipes by a part of their label, in upper or lower case."""
    async with db.read() as connection:
        rows = await recipe.search(connection, keyword=keyword, limit=max_results)
    return RecipeMatches.model_validate({"items": rows})


@router.get("/{id}")
async def read_recipe(db: DatabaseDep, id: IdPath) -> RecipeRead:
    """Return one recipe."""
    async with db.read() as connection:
        row = await recipe.get(connection, id)
    return RecipeRead.model_validate(row)


# {% if cookiecutter.auth %}
@router.post("/", status_code=201, responses=failures(409))
async def create_recipe(db: DatabaseDep, caller: CurrentUser, new: RecipeCreate) -> RecipeRead:
    """Store a recipe of the caller."""
    async with db.single_statement() as connection:
        row = await recipe.create(connection, new, {"submitter_id": caller.id})
    return RecipeRead.model_validate(row)


@router.put("/{id}", responses=failures(403))
async def replace_recipe(
    db: DatabaseDep, own: OwnRecipesDep, id: IdPath, new: RecipeCreate
) -> RecipeRead:
    """Change all fields; only the submitter and superusers may."""
    async with db.transaction() as connection:
        row = await own.replace(connection, id, new)
    return RecipeRead.model_validate(row)


@router.patch("/{id}", responses=failures(403))
async def update_recipe(
    db: DatabaseDep, own: OwnRecipesDep, id: IdPath, changes: RecipeUpdate
) -> RecipeRead:
    """Change the fields that are sent; only the submitter and superusers may."""
    async with db.transaction() as connection:
        row = await own.update(connection, id, changes)
    return RecipeRead.model_validate(row)


@router.delete("/{id}", status_code=204, responses=failures(403))
async def delete_recipe(db: DatabaseDep, own: OwnRecipesDep, id: IdPath) -> None:
    """Delete a recipe; only the submitter and superusers may."""
    async with db.transaction() as connection:
        await own.remove(connection, id)


# {%- else %}
@router.post("/", status_code=201, responses=failures(409))
async def create_recipe(db: DatabaseDep, new: RecipeCreate) -> RecipeRead:
    """Store a recipe."""
    async with db.single_statement() as connection:
        row = await recipe.create(connection, new)
    return RecipeRead.model_validate(row)


@router.put("/{id}", responses=failures(409))
async def replace_recipe(db: DatabaseDep, id: IdPath, new: RecipeCreate) -> RecipeRead:
    """Change all fields."""
    async with db.single_statement() as connection:
        row = await recipe.replace(connection, id, new)
    return RecipeRead.model_validate(row)


@router.patch("/{id}", responses=failures(409))
async def update_recipe(db: DatabaseDep, id: IdPath, changes: RecipeUpdate) -> RecipeRead:
    """Change the fields that are sent."""
    async with db.single_statement() as connection:
        row = await recipe.update(connection, id, changes)
    return RecipeRead.model_validate(row)


@router.delete("/{id}", status_code=204)
async def delete_recipe(db: DatabaseDep, id: IdPath) -> None:
    """Delete a recipe."""
    async with db.single_statement() as connection:
        await recipe.remove(connection, id)


# {%- endif +%}
# {%- endfilter +%}
