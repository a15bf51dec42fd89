"""All routes of version 1."""

from fastapi import FastAPI

from app.api.api_v1.endpoints import (
    # {% if cookiecutter.auth %}
    auth,
    # {% endif %}
    # {% if cookiecutter.fan_out %}
    dashboard,  # example
    ideas,  # example
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    job,
    photo,  # example
    # {% endif %}
    recipe,  # example
    user,
)
from app.core.config import API_PREFIX
from app.kit.http.openapi import failures

ROUTERS = [
    # {% if cookiecutter.fan_out %}
    # Ideas come before recipes: otherwise /recipes/ideas would match a recipe's id.  # example
    ideas.router,  # example
    # {% endif %}
    recipe.router,  # example
    user.router,
    # {% if cookiecutter.job_queue != "none" %}
    job.router,
    photo.router,  # example
    # {% endif %}
    # {% if cookiecutter.auth %}
    auth.router,
    # {% endif %}
    # {% if cookiecutter.fan_out %}
    dashboard.router,  # example
    # {% endif %}
]
# The failures that any request may get.
FAILURES = failures(
    # {% if cookiecutter.rate_limit %}
    429,
    # {% endif %}
    500,
    503,
)


def add_routes(app: FastAPI) -> None:
    """Include each router directly: FastAPI matches the path again at every level of nesting."""
    for router in ROUTERS:
        app.include_router(router, prefix=API_PREFIX, responses=FAILURES)
