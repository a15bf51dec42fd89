"""Signed tokens: short-lived ones for access, and refresh tokens to get new pairs with."""

import logging
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from time import time
from typing import Annotated, Literal, NamedTuple, TypeAlias

import jwt
from pydantic import BaseModel, Field, ValidationError

from app.core.about import ABOUT
from app.core.auth import AuthSettings
from app.core.errors import UnauthorizedError

ALGORITHM = "HS256"
REQUIRED = ["aud", "exp", "iat", "iss", "sub"]
# The clocks of two machines differ a little.
LEEWAY_SECONDS = 5

logger = logging.getLogger(__name__)

Kind: TypeAlias = Literal["access", "refresh"]
RandomId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Claims(BaseModel):
    """Whose token it is, of which login, which one, of which kind, and until when (Unix time)."""

    sub: Annotated[int, Field(ge=1, lt=2**63)]
    sid: RandomId
    jti: RandomId
    type: Kind
    exp: int

    @property
    def digest(self) -> str:
        """What is stored of a token: enough to know it again, too little to make it."""
        return sha256(self.jti.encode()).hexdigest()


class Pair(NamedTuple):
    """What a client gets, and what its refresh token claims."""

    access_token: str
    refresh_token: str
    expires_in: int
    claims: Claims


class Tokens:
    """Signs and reads tokens with one key."""

    def __init__(self, settings: AuthSettings) -> None:
        if settings.secret_key is None:
            logger.warning(
                "SECRET_KEY is not set: logins end with this process, and no other process knows "
                "them; python -m app.setup writes a key to .env"
            )
        key = settings.secret_key
        self._key = token_urlsafe(32) if key is None else key.get_secret_value()
        self._access_seconds = settings.access_token_seconds
        self._refresh_seconds = settings.refresh_token_seconds

    def issue(self, user_id: int) -> Pair:
        """Return the first pair of a new login."""
        return self._pair(user_id, token_hex(16), int(time()) + self._refresh_seconds)

    def renew(self, claims: Claims) -> Pair:
        """Return the next pair of a login, which ends when it was to end from the start."""
        return self._pair(claims.sub, claims.sid, claims.exp)

    def read(self, token: str, kind: Kind) -> Claims:
        """Return what a token of ours claims; raise ``UnauthorizedError``."""
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=ABOUT.title,
                issuer=ABOUT.title,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED},
            )
            claims = Claims.model_validate(payload)
        except (jwt.InvalidTokenError, ValidationError):
            raise UnauthorizedError("the token is not valid, or not any more") from None
        if claims.type != kind:
            raise UnauthorizedError(f"this is not the {kind} token")
        return claims

    def _pair(self, user_id: int, sid: str, login_ends: int) -> Pair:
        now = int(time())
        access_ends = min(now + self._access_seconds, login_ends)
        access = Claims(sub=user_id, sid=sid, jti=token_hex(16), type="access", exp=access_ends)
        refresh = Claims(sub=user_id, sid=sid, jti=token_hex(16), type="refresh", exp=login_ends)
        return Pair(self._sign(access), self._sign(refresh), max(access_ends - now, 0), refresh)

    def _sign(self, claims: Claims) -> str:
        more = {"sub": str(claims.sub), "iss": ABOUT.title, "aud": ABOUT.title, "iat": int(time())}
        return jwt.encode(claims.model_dump() | more, self._key, ALGORITHM)
