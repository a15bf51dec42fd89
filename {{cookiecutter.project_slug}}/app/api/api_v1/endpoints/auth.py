"""Logging in and out."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from fastapi import APIRouter, Depends

from app.api.auth import (
    REFUSED_LOGIN,
    UNPROVEN,
    CurrentUser,
    NewAccount,
    NewPasswordDep,
    ProvenCredential,
    RefreshClaims,
    TokensDep,
    forbid_storing,
)
from app.api.deps import DatabaseDep
from app.crud.crud_auth import credential, login
from app.kit.errors import ForbiddenError, UnauthorizedError
from app.kit.http.openapi import failures
from app.schemas.auth import TokenPair
from app.schemas.user import UserRead

router = APIRouter(
    prefix="/auth",
    tags=["auth"],
    dependencies=[Depends(forbid_storing)],
)


@router.post("/signup", status_code=201, responses=failures(409))
async def sign_up(db: DatabaseDep, new: NewAccount) -> UserRead:
    """Store a user with a password; an address that is taken is a conflict."""
    async with db.transaction() as connection:
        row = await credential.create_user(connection, new.user, new.password_hash)
    return UserRead.model_validate(row)


@router.post("/login", responses=failures(401))
async def log_in(db: DatabaseDep, tokens: TokensDep, proven: ProvenCredential) -> TokenPair:
    """Exchange an e-mail address and its password for a pair of tokens."""
    pair = tokens.issue(proven.id)
    async with db.transaction() as connection:
        if not await credential.is_current(connection, proven.id, proven.password_hash):
            raise UnauthorizedError(REFUSED_LOGIN)
        await login.open(connection, pair.claims)
    return TokenPair.model_validate(pair)


@router.post("/refresh", responses=failures(401))
async def refresh(db: DatabaseDep, tokens: TokensDep, shown: RefreshClaims) -> TokenPair:
    """Exchange the refresh token for a new pair.

    Each refresh token is good once: when it comes a second time, the login ends for everybody.
    """
    pair = tokens.renew(shown)
    async with db.transaction() as connection:
        is_renewed = await login.renew(connection, shown, pair.claims)
    if not is_renewed:  # told only now, so that the end of the login is committed
        raise UnauthorizedError("the login has ended")
    return TokenPair.model_validate(pair)


@router.post("/logout", status_code=204, responses=failures(401))
async def log_out(db: DatabaseDep, shown: RefreshClaims) -> None:
    """End the login: its access token is worth nothing from now on, either."""
    async with db.transaction() as connection:
        await login.close(connection, shown)


@router.post("/password", responses=failures(403))
async def change_password(db: DatabaseDep, tokens: TokensDep, new: NewPasswordDep) -> TokenPair:
    """Change the caller's password; all their logins end, and a new one begins."""
    pair = tokens.issue(new.user_id)
    async with db.transaction() as connection:
        is_changed = await credential.change(connection, new.user_id, new.expected, new.hash)
        if is_changed:
            await login.close_all(connection, new.user_id)
            await login.open(connection, pair.claims)
    if not is_changed:  # another change was faster
        raise ForbiddenError(UNPROVEN)
    return TokenPair.model_validate(pair)


@router.get("/me")
async def read_me(caller: CurrentUser) -> UserRead:
    """Return the caller."""
    return caller


# {%- endfilter +%}
