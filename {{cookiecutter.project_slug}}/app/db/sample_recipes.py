"""Sample recipes for development."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from sqlalchemy import insert

from app.core.config import Settings
from app.crud.crud_recipe import recipe
from app.crud.crud_user import user
from app.kit.db.engine import AsyncConnection
from app.kit.schemas import PageQuery
from app.models.recipe import Recipe

SAMPLES = (
    (
        "Chicken Vesuvio",
        "Serious Eats",
        "http://www.seriouseats.com/recipes/2011/12/chicken-vesuvio-recipe.html",
    ),
    (
        "Chicken Paprikash",
        "No Recipes",
        "http://norecipes.com/recipe/chicken-paprikash/",
    ),
    (
        "Cauliflower and Tofu Curry",
        "Serious Eats",
        "http://www.seriouseats.com/recipes/2011/02/cauliflower-and-tofu-curry-recipe.html",
    ),
)


async def add_sample_recipes(connection: AsyncConnection, settings: Settings) -> None:
    """Add the samples, submitted by the first superuser, unless the database has recipes."""
    if settings.environment != "local":
        return
    recipes = await recipe.get_multi(connection, PageQuery(limit=1))
    submitter = await user.get_by_email(connection, settings.first_superuser)
    if recipes["items"] or submitter is None:
        return
    samples = [
        {"label": label, "source": source, "url": url, "submitter_id": submitter.id}
        for label, source, url in SAMPLES
    ]
    await connection.execute(insert(Recipe), samples)


# {%- endfilter +%}
