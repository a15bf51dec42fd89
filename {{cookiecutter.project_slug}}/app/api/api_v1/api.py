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
    recipe,  # example
    user,
)
from app.api.errors import RESPONSES

api_router = APIRouter(prefix="/api/v1", responses=RESPONSES)
# {% if cookiecutter.fan_out %}
api_router.include_router(dashboard.router)  # example
# Ideas come before recipes, or /recipes/ideas would be taken for a recipe's id.  # example
api_router.include_router(ideas.router)  # example
# {% endif %}
api_router.include_router(recipe.router)  # example
api_router.include_router(user.router)
# {% if cookiecutter.auth %}
api_router.include_router(auth.router)
# {% endif %}
