"""What clients send and get of users."""

from pydantic import BaseModel, ConfigDict

from app.kit.schemas import Email, Text


class UserCreate(BaseModel):
    """A new user. Nobody becomes a superuser by asking."""

    name: Text
    email: Email


class UserRead(BaseModel):
    """A stored user."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str
    is_superuser: bool
