"""All routes of version 1."""

from fastapi import APIRouter

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
    # {% if cookiecutter.job_queue != "none" %}
    task,
    # {% endif %}
    user,
)
from app.api.errors import RESPONSES

api_router = APIRouter(responses=RESPONSES)
# {% if cookiecutter.fan_out %}
api_router.include_router(dashboard.router)  # example
# Ideas come before recipes, or /recipes/ideas would be taken for a recipe's id.  # example
api_router.include_router(ideas.router)  # example
# {% endif %}
api_router.include_router(recipe.router)  # example
api_router.include_router(user.router)
# {% if cookiecutter.job_queue != "none" %}
api_router.include_router(job.router)
api_router.include_router(photo.router)  # example
api_router.include_router(task.router)
# {% endif %}
# {% if cookiecutter.auth %}
api_router.include_router(auth.router)
# {% endif %}
