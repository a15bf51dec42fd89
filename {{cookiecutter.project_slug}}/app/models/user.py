"""Users."""

from sqlalchemy import String, false
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class User(Base):
    """A person who uses the service."""

    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    is_superuser: Mapped[bool] = mapped_column(server_default=false())
