"""The base class of all models."""

from app.kit.db.model import Base

__all__ = ["Base"]
