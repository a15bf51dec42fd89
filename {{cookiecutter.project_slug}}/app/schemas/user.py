"""Users, as clients send and get them."""

from pydantic import BaseModel, ConfigDict

from app.kit.schemas import Email, RequestModel, Text


class UserCreate(RequestModel):
    """A new user; clients cannot make a superuser."""

    name: Text
    email: Email


class UserRead(BaseModel):
    """A stored user."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str
    is_superuser: bool
