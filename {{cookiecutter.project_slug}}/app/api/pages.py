"""The page that people see."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from app.api.deps import DatabaseDep
from app.core.about import ABOUT
from app.crud.crud_recipe import recipe

HERE = Path(__file__).parents[1]
SHOWN = 100
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

templates = Jinja2Templates(HERE / "templates")


def add_pages(app: FastAPI) -> None:
    """Serve the page at ``/`` and its style sheet."""
    app.mount("/static", StaticFiles(directory=HERE / "static", check_dir=False), name="static")
    app.add_api_route("/", index, include_in_schema=False)


async def index(request: Request, db: DatabaseDep) -> HTMLResponse:
    """Show the recipes."""
    async with db.read() as connection:
        recipes = await recipe.get_multi(connection, after=0, limit=SHOWN)
    return templates.TemplateResponse(
        request,
        "index.html",
        {"about": ABOUT, "recipes": recipes, "has_docs": request.app.openapi_url is not None},
        headers={"Content-Security-Policy": POLICY},
    )


# {%- endfilter +%}
