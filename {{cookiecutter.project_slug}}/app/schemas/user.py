"""Request and response bodies of users."""

from pydantic import BaseModel, ConfigDict

from app.kit.schemas import Email, RequestModel, Text


class UserCreate(RequestModel):
    """A new user; the API cannot create superusers."""

    name: Text
    email: Email


class UserRead(BaseModel):
    """A stored user."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str
    is_superuser: bool
