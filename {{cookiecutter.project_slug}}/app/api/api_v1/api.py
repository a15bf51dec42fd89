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
from app.kit.http.problems import RESPONSES

ROUTERS = [
    # {% if cookiecutter.fan_out %}
    # Ideas come before recipes, or /recipes/ideas would be taken for a recipe's id.  # example
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


def add_routes(app: FastAPI) -> None:
    """Include them one by one: FastAPI searches for a route once more at every level of routers."""
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1", responses=RESPONSES)
