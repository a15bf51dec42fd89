"""Import every model, so that ``Base.metadata`` is complete for Alembic."""

from app.db.base_class import Base
from app.models.recipe import Recipe  # example
from app.models.user import User

__all__ = [
    "Base",
    "Recipe",  # example
    "User",
]
