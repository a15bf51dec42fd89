"""Recipes."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class Recipe(Base):
    """A link to a recipe on another site."""

    label: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(255))
    url: Mapped[str] = mapped_column(String(2000))
    submitter_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
