"""Three recipes to look at on a developer's machine."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from app.crud.crud_recipe import recipe
from app.db.engine import AsyncConnection
from app.schemas.recipe import RecipeCreate

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


async def add_sample_recipes(connection: AsyncConnection, submitter_id: int) -> None:
    """Add the samples, unless there is any recipe already."""
    if await recipe.get_multi(connection, after=0, limit=1):
        return
    for label, source, url in SAMPLES:
        new = RecipeCreate(label=label, source=source, url=url, submitter_id=submitter_id)
        await recipe.create(connection, new)


# {%- endfilter +%}
