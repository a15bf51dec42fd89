"""What clients send and get to log in."""

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

from app.kit.auth.settings import Password
from app.kit.schemas import Email, RequestModel, Text
from app.schemas.user import UserCreate

BEARER: Literal["bearer"] = "bearer"
ADDRESS = TypeAdapter(Email)
# Of any length that a password may have: what is too short is wrong, not malformed.
ShownPassword = Secret[Annotated[str, StringConstraints(max_length=128)]]


def as_stored(username: str) -> str:
    """Write an address as sign-up stores it; what is no address is nobody's, and stays."""
    try:
        return ADDRESS.validate_python(username)
    except ValidationError:
        return username


class Signup(UserCreate):
    """A new user with a password."""

    password: Password


class PasswordForm(BaseModel):
    """OAuth 2's password grant, as far as it is needed; the user name is the e-mail address."""

    grant_type: Literal["password"] = "password"
    username: Annotated[Text, AfterValidator(as_stored)]
    password: ShownPassword


class PasswordChange(RequestModel):
    """The password until now, and the one from now on."""

    current_password: ShownPassword
    new_password: Password


class RefreshRequest(RequestModel):
    """The refresh token that came last."""

    refresh_token: Secret[Annotated[str, StringConstraints(max_length=2000)]]


class TokenPair(BaseModel):
    """Tokens of a login; ``expires_in`` says for how many seconds the first one is good."""

    model_config = ConfigDict(from_attributes=True)

    access_token: str
    token_type: Literal["bearer"] = BEARER
    refresh_token: str
    expires_in: int
