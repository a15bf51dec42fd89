"""Serve Swagger UI and Redoc without files from other sites."""

from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.kit.http.openapi import improve

ASSETS = "/docs-assets"
# Both pages have an inline script; Redoc runs a worker from a blob.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src blob:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def add_docs(app: FastAPI) -> None:
    """Serve Swagger UI at ``/docs`` and Redoc at ``/redoc``, with the files of fastapi-offline."""
    app.openapi = improve(app.openapi)
    folder = str(files("fastapi_offline").joinpath("static"))
    app.mount(ASSETS, StaticFiles(directory=folder, check_dir=False), name="docs-assets")
    app.add_api_route("/docs", swagger_ui, include_in_schema=False)
    app.add_api_route("/redoc", redoc, include_in_schema=False)


async def swagger_ui(request: Request) -> HTMLResponse:
    """Return Swagger UI, which can send requests."""
    root = request.scope.get("root_path", "")
    page = get_swagger_ui_html(
        openapi_url=f"{root}{request.app.openapi_url}",
        title=request.app.title,
        swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{root}{ASSETS}/favicon.png",
    )
    return _with_policy(page)


async def redoc(request: Request) -> HTMLResponse:
    """Return Redoc, which is easier to read."""
    root = request.scope.get("root_path", "")
    page = get_redoc_html(
        openapi_url=f"{root}{request.app.openapi_url}",
        title=request.app.title,
        redoc_js_url=f"{root}{ASSETS}/redoc.standalone.js",
        redoc_favicon_url=f"{root}{ASSETS}/favicon.png",
        with_google_fonts=False,
    )
    return _with_policy(page)


def _with_policy(page: HTMLResponse) -> HTMLResponse:
    page.headers["Content-Security-Policy"] = POLICY
    return page
