"""Dependencies that verify or hash passwords before an endpoint opens its transaction."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Form, Request, Response
from pydantic import Secret

from app.api.deps import DatabaseDep
from app.api.permissions import CurrentUser, TokensDep
from app.crud.crud_credential import credential
from app.kit.auth.passwords import Passwords
from app.kit.auth.tokens import Claims
from app.kit.db.model import Record
from app.kit.errors import DomainError, ForbiddenError, UnauthorizedError
from app.kit.http.state import lifespan_state
from app.schemas.account import PasswordChange, PasswordForm, RefreshRequest, Signup
from app.schemas.user import UserCreate

WRONG_LOGIN = "wrong e-mail address or password"
UNPROVEN = "the current password is wrong"

PasswordFormDep = Annotated[PasswordForm, Form()]


async def get_passwords(request: Request) -> Passwords:
    """Return the hasher that the lifespan opened."""
    return lifespan_state(request.scope)["passwords"]


PasswordsDep = Annotated[Passwords, Depends(get_passwords)]


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def callers_credential(db: DatabaseDep, caller: CurrentUser) -> Record | None:
    """Return the caller's id and hash; release the connection before the hash is verified."""
    async with db.read() as connection:
        return await credential.get_by_email(connection, caller.email)


async def stored_credential(db: DatabaseDep, form: PasswordFormDep) -> Record | None:
    """Return the id and hash of the user that a login form names."""
    async with db.read() as connection:
        return await credential.get_by_email(connection, form.username)


# {% endfilter %}
async def forbid_storing(response: Response) -> None:
    """Forbid caches to store the response."""
    response.headers["Cache-Control"] = "no-store"


async def get_verified_credential(
    form: PasswordFormDep,
    passwords: PasswordsDep,
    stored: Annotated[Record | None, Depends(stored_credential)],
) -> Record:
    """Return the verified credential; raise the same ``UnauthorizedError`` for every failure."""
    return await _verify(passwords, form.password, stored, UnauthorizedError(WRONG_LOGIN))


VerifiedCredential = Annotated[Record, Depends(get_verified_credential)]


class Account(NamedTuple):
    """A new user and the hash of the password."""

    user: UserCreate
    password_hash: str


async def get_account(new: Signup, passwords: PasswordsDep) -> Account:
    """Hash the password of a new user."""
    user = UserCreate(name=new.name, email=new.email)
    return Account(user, await passwords.hash(new.password.get_secret_value()))


NewAccount = Annotated[Account, Depends(get_account)]


class NewPassword(NamedTuple):
    """A user, the hash that was verified, and the hash that replaces it."""

    user_id: int
    expected: str
    hash: str


async def get_new_password(
    change: PasswordChange,
    passwords: PasswordsDep,
    stored: Annotated[Record | None, Depends(callers_credential)],
) -> NewPassword:
    """Hash the caller's new password; raise ``ForbiddenError`` if the current one is wrong."""
    refusal = ForbiddenError(UNPROVEN)
    verified = await _verify(passwords, change.current_password, stored, refusal)
    new_hash = await passwords.hash(change.new_password.get_secret_value())
    return NewPassword(verified.id, verified.password_hash, new_hash)


NewPasswordDep = Annotated[NewPassword, Depends(get_new_password)]


async def get_refresh_claims(given: RefreshRequest, tokens: TokensDep) -> Claims:
    """Return the claims of a refresh token; raise ``UnauthorizedError`` if it is invalid."""
    return tokens.read(given.refresh_token.get_secret_value(), "refresh")


RefreshClaims = Annotated[Claims, Depends(get_refresh_claims)]


async def _verify(
    passwords: Passwords, given: Secret[str], stored: Record | None, refusal: DomainError
) -> Record:
    """Return the stored credential if the given password is right; raise ``refusal`` if not."""
    expected = None if stored is None else stored.password_hash
    is_right = await passwords.verify(given.get_secret_value(), expected)
    if stored is None or not is_right:
        raise refusal
    return stored
