"""Request and response bodies of sign-up, login and sessions."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Secret,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from app.kit.auth.password_text import GivenPassword, Password
from app.kit.schemas import Email, RequestModel, Text
from app.schemas.user import UserCreate

BEARER: Literal["bearer"] = "bearer"
EMAIL = TypeAdapter(Email)


def normalise_username(username: str) -> str:
    """Normalise an address as sign-up does; return other text unchanged."""
    try:
        return EMAIL.validate_python(username)
    except ValidationError:
        return username


class Signup(UserCreate):
    """A new user with a password."""

    password: Password


# Not a RequestModel: RFC 6749 (3.2) asks servers to ignore unknown parameters.
class PasswordForm(BaseModel):
    """The password grant of OAuth 2; the user name is the e-mail address."""

    grant_type: Literal["password"] = "password"
    username: Annotated[Text, AfterValidator(normalise_username)]
    password: GivenPassword


class PasswordChange(RequestModel):
    """The current password and the new one."""

    current_password: GivenPassword
    new_password: Password


class RefreshRequest(RequestModel):
    """The latest refresh token of a session."""

    refresh_token: Secret[Annotated[str, StringConstraints(max_length=2000)]]


class TokenPair(BaseModel):
    """The tokens of a session; ``expires_in`` is the lifetime of the access token in seconds."""

    model_config = ConfigDict(from_attributes=True)

    access_token: str
    token_type: Literal["bearer"] = BEARER
    refresh_token: str
    expires_in: int
