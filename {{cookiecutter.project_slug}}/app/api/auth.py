"""Who calls, what they may do, and what they show to log in: checked before an endpoint runs."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Form, Request, Response
from fastapi.security import OAuth2PasswordBearer
from pydantic import Secret

from app.api.deps import DatabaseDep
from app.crud.base import Record
from app.crud.crud_auth import credential, login
from app.kit.auth.security import Claims, Passwords, Tokens
from app.kit.errors import DomainError, ForbiddenError, UnauthorizedError
from app.schemas.auth import PasswordChange, PasswordForm, RefreshRequest, Signup
from app.schemas.user import UserCreate, UserRead

REFUSED_LOGIN = "the address or the password is wrong"
UNPROVEN = "the current password is wrong"

# Relative, so that the form of /docs finds it behind a proxy's prefix, too.
BearerDep = Annotated[str, Depends(OAuth2PasswordBearer("api/v1/auth/login"))]
PasswordFormDep = Annotated[PasswordForm, Form()]


async def get_tokens(request: Request) -> Tokens:
    """Return what signs and reads tokens."""
    return request.state.tokens


async def get_passwords(request: Request) -> Passwords:
    """Return what hashes and compares passwords."""
    return request.state.passwords


TokensDep = Annotated[Tokens, Depends(get_tokens)]
PasswordsDep = Annotated[Passwords, Depends(get_passwords)]


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def current_user(db: DatabaseDep, tokens: TokensDep, token: BearerDep) -> UserRead:
    """Return the user whose access token came along; raise ``UnauthorizedError``.

    One read sees to it that whoever was deleted or has logged out is out at once.
    """
    claims = tokens.read(token, "access")
    async with db.read() as connection:
        row = await login.get_user(connection, claims)
    if row is None:
        raise UnauthorizedError("the login has ended")
    return UserRead.model_validate(row)


CurrentUser = Annotated[UserRead, Depends(current_user)]


async def callers_credential(db: DatabaseDep, caller: CurrentUser) -> Record | None:
    """Return the caller's id and the hash to compare with, for which no unit stays open."""
    async with db.read() as connection:
        return await credential.get_by_email(connection, caller.email)


async def stored_credential(db: DatabaseDep, form: PasswordFormDep) -> Record | None:
    """Return the id and the hash of the user that a form names, in the same way."""
    async with db.read() as connection:
        return await credential.get_by_email(connection, form.username)


# {% endfilter %}
async def superuser(caller: CurrentUser) -> UserRead:
    """Return the caller; raise ``ForbiddenError`` unless it is a superuser."""
    if not caller.is_superuser:
        raise ForbiddenError("only a superuser may do this")
    return caller


Superuser = Annotated[UserRead, Depends(superuser)]


async def forbid_storing(response: Response) -> None:
    """Keep the answer out of all caches."""
    response.headers["Cache-Control"] = "no-store"


async def get_proven(
    form: PasswordFormDep,
    passwords: PasswordsDep,
    stored: Annotated[Record | None, Depends(stored_credential)],
) -> Record:
    """Return whose password it is, and its hash; raise ``UnauthorizedError``, saying no more."""
    return await _prove(passwords, form.password, stored, UnauthorizedError(REFUSED_LOGIN))


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
