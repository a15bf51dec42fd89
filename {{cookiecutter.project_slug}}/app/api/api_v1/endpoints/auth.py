"""Sign-up, login, sessions and passwords."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from fastapi import APIRouter, Depends

from app.api.credentials import (
    UNPROVEN,
    WRONG_LOGIN,
    NewAccount,
    NewPasswordDep,
    RefreshClaims,
    VerifiedCredential,
    forbid_storing,
)
from app.api.deps import DatabaseDep
from app.api.permissions import CurrentUser, TokensDep
from app.crud.crud_credential import credential
from app.crud.crud_session import session
from app.kit.errors import ForbiddenError, UnauthorizedError
from app.kit.http.openapi import failures
from app.schemas.account import TokenPair
from app.schemas.user import UserRead

router = APIRouter(prefix="/auth", tags=["auth"], dependencies=[Depends(forbid_storing)])
# The routes that hash a password: clients may use them less often than others.
PASSWORD_ROUTES = {
    "login": "/auth/login",
    "password": "/auth/password",
    "signup": "/auth/signup",
}


@router.post("/signup", status_code=201, responses=failures(409))
async def sign_up(db: DatabaseDep, new: NewAccount) -> UserRead:
    """Create a user with a password; the e-mail address must be unique."""
    async with db.transaction() as connection:
        row = await credential.create_user(connection, new.user, new.password_hash)
    return UserRead.model_validate(row)


@router.post("/login", responses=failures(401))
async def log_in(db: DatabaseDep, tokens: TokensDep, verified: VerifiedCredential) -> TokenPair:
    """Start a session with an e-mail address and a password."""
    issued = tokens.issue(verified.id)
    async with db.transaction() as connection:
        if not await credential.is_current(connection, verified.id, verified.password_hash):
            raise UnauthorizedError(WRONG_LOGIN)
        await session.open(connection, issued.claims)
    return TokenPair.model_validate(issued)


@router.post("/refresh", responses=failures(401))
async def refresh_session(db: DatabaseDep, tokens: TokensDep, given: RefreshClaims) -> TokenPair:
    """Exchange the refresh token for new tokens.

    If the response is lost, repeat the request within `REFRESH_GRACE_SECONDS` (30). Later reuse of
    an exchanged refresh token counts as theft: the session is revoked.
    """
    issued = tokens.renew(given)
    async with db.transaction() as connection:
        grace = tokens.refresh_grace_seconds
        is_renewed = await session.renew(connection, given, issued.claims, grace)
    if not is_renewed:  # raised here, so that the revocation is committed
        raise UnauthorizedError("session expired or revoked")
    return TokenPair.model_validate(issued)


@router.post("/logout", status_code=204, responses=failures(401))
async def log_out(db: DatabaseDep, given: RefreshClaims) -> None:
    """End the session; its access and refresh tokens become invalid at once."""
    async with db.transaction() as connection:
        await session.revoke(connection, given)


@router.post("/password", responses=failures(403))
async def change_password(db: DatabaseDep, tokens: TokensDep, new: NewPasswordDep) -> TokenPair:
    """Change the caller's password, end all their sessions and start a new session."""
    issued = tokens.issue(new.user_id)
    async with db.transaction() as connection:
        is_changed = await credential.change(connection, new.user_id, new.expected, new.hash)
        if is_changed:
            await session.revoke_all(connection, new.user_id)
            await session.open(connection, issued.claims)
    if not is_changed:  # another change came first
        raise ForbiddenError(UNPROVEN)
    return TokenPair.model_validate(issued)


@router.get("/me")
async def read_me(caller: CurrentUser) -> UserRead:
    """Return the user of the access token."""
    return caller


# {%- endfilter +%}
