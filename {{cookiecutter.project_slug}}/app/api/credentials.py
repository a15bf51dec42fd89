"""What callers show to log in, checked before an endpoint runs."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Form, Request
from pydantic import Secret

from app.api.auth import CurrentUser, TokensDep
from app.api.deps import DatabaseDep
from app.core.errors import DomainError, ForbiddenError, UnauthorizedError
from app.core.security import Claims, Passwords
from app.crud.base import Record
from app.crud.crud_auth import credential
from app.schemas.auth import PasswordChange, PasswordForm, RefreshRequest, Signup
from app.schemas.user import UserCreate

REFUSAL = "the address or the password is wrong"
UNPROVEN = "the current password is wrong"

PasswordFormDep = Annotated[PasswordForm, Form()]


async def get_passwords(request: Request) -> Passwords:
    """Return what hashes and compares passwords."""
    return request.state.passwords


PasswordsDep = Annotated[Passwords, Depends(get_passwords)]


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def stored_credential(db: DatabaseDep, form: PasswordFormDep) -> Record | None:
    """Return the user's id and the hash to compare with, for which no unit stays open."""
    async with db.read() as connection:
        return await credential.get_by_email(connection, form.username)


async def callers_credential(db: DatabaseDep, caller: CurrentUser) -> Record | None:
    """Return the caller's id and the hash to compare with."""
    async with db.read() as connection:
        return await credential.get_by_email(connection, caller.email)


# {% endfilter %}
async def get_proven(
    form: PasswordFormDep,
    passwords: PasswordsDep,
    stored: Annotated[Record | None, Depends(stored_credential)],
) -> Record:
    """Return whose password it is, and its hash; raise ``UnauthorizedError``, saying no more."""
    return await _prove(passwords, form.password, stored, UnauthorizedError(REFUSAL))


ProvenCredential = Annotated[Record, Depends(get_proven)]


class Account(NamedTuple):
    """A new user and the hash of their password."""

    user: UserCreate
    password_hash: str


async def get_account(new: Signup, passwords: PasswordsDep) -> Account:
    """Hash the password of a new user."""
    user = UserCreate(name=new.name, email=new.email)
    return Account(user, await passwords.hash(new.password.get_secret_value()))


NewAccount = Annotated[Account, Depends(get_account)]


class NewPassword(NamedTuple):
    """Whose hash takes the place of which other."""

    user_id: int
    expected: str
    hash: str


async def get_new_password(
    change: PasswordChange,
    passwords: PasswordsDep,
    stored: Annotated[Record | None, Depends(callers_credential)],
) -> NewPassword:
    """Hash the caller's new password; raise ``ForbiddenError`` if they do not know the old one."""
    refusal = ForbiddenError(UNPROVEN)
    proven = await _prove(passwords, change.current_password, stored, refusal)
    new_hash = await passwords.hash(change.new_password.get_secret_value())
    return NewPassword(proven.id, proven.password_hash, new_hash)


NewPasswordDep = Annotated[NewPassword, Depends(get_new_password)]


async def get_refresh_claims(shown: RefreshRequest, tokens: TokensDep) -> Claims:
    """Return what a refresh token of ours claims; raise ``UnauthorizedError``."""
    return tokens.read(shown.refresh_token.get_secret_value(), "refresh")


RefreshClaims = Annotated[Claims, Depends(get_refresh_claims)]


async def _prove(
    passwords: Passwords, shown: Secret[str], stored: Record | None, refusal: DomainError
) -> Record:
    """Return what is stored if the password that was shown is right; raise ``refusal`` if not."""
    expected = None if stored is None else stored.password_hash
    is_right = await passwords.matches(shown.get_secret_value(), expected)
    if stored is None or not is_right:
        raise refusal
    return stored
