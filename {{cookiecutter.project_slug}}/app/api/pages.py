"""The HTML page at ``/``."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.api.deps import DatabaseDep
from app.core.about import ABOUT
from app.core.config import API_PREFIX
from app.crud.crud_recipe import recipe
from app.kit.schemas import PageQuery

if TYPE_CHECKING:
    from fastapi.templating import Jinja2Templates

HERE = Path(__file__).parents[1]
FIRST_PAGE = PageQuery(limit=100)
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def add_pages(app: FastAPI) -> None:
    """Serve the page at ``/`` and its style sheet."""
    app.mount("/static", StaticFiles(directory=HERE / "static", check_dir=False), name="static")
    app.add_api_route("/", index, include_in_schema=False)


@cache
def templates() -> "Jinja2Templates":
    """Load Jinja for the first page: at startup it would take 15 ms."""
    from fastapi.templating import Jinja2Templates

    return Jinja2Templates(HERE / "templates")


async def index(request: Request, db: DatabaseDep) -> HTMLResponse:
    """Return the page with the first recipes."""
    async with db.read() as connection:
        page = await recipe.get_multi(connection, FIRST_PAGE)
    shown = {
        "about": ABOUT,
        "api": API_PREFIX,
        "has_docs": request.app.openapi_url is not None,
        "recipes": page["items"],
    }
    headers = {"Content-Security-Policy": POLICY}
    return templates().TemplateResponse(request, "index.html", shown, headers=headers)


# {%- endfilter +%}
