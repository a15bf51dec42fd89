"""Sign and read access tokens and refresh tokens (JWT)."""

import hmac
import logging
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from time import time
from typing import Annotated, Literal, NamedTuple, TypeAlias

import jwt
from pydantic import BaseModel, Field, ValidationError

from app.kit.auth.settings import AuthSettings
from app.kit.errors import UnauthorizedError

ALGORITHM = "HS256"
REQUIRED_CLAIMS = ["aud", "exp", "iat", "iss", "sub"]
# Tolerated difference between the clocks of two hosts.
LEEWAY_SECONDS = 5

logger = logging.getLogger(__name__)

TokenKind: TypeAlias = Literal["access", "refresh"]
RandomId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Claims(BaseModel):
    """The user, the session, the token's own id, its kind, and its expiry (Unix time)."""

    sub: Annotated[int, Field(ge=1, lt=2**63)]
    sid: RandomId
    jti: RandomId
    type: TokenKind
    exp: int

    @property
    def digest(self) -> str:
        """The stored part of a token: it identifies the token, but cannot recreate it."""
        return sha256(self.jti.encode()).hexdigest()


class IssuedTokens(NamedTuple):
    """An access token and a refresh token, with the claims of the latter."""

    access_token: str
    refresh_token: str
    expires_in: int
    claims: Claims


class Tokens:
    """Signs and reads the tokens of one service with one key."""

    def __init__(self, settings: AuthSettings, issuer: str) -> None:
        if settings.secret_key is None:
            logger.warning(
                "SECRET_KEY is not set: sessions end with this process, and other processes refuse "
                "its tokens; python -m app.setup writes a key to .env"
            )
        key = settings.secret_key
        self._key = token_urlsafe(32) if key is None else key.get_secret_value()
        self._issuer = issuer
        self._access_seconds = settings.access_token_seconds
        self._refresh_seconds = settings.refresh_token_seconds
        self.refresh_grace_seconds = settings.refresh_grace_seconds

    def issue(self, user_id: int) -> IssuedTokens:
        """Return the first tokens of a new session."""
        end = int(time()) + self._refresh_seconds
        return self._issue(user_id, token_hex(16), token_hex(16), end)

    def renew(self, claims: Claims) -> IssuedTokens:
        """Return the next tokens of a session; its end stays the same.

        A refresh token always has the same successor: its id is derived with the key. So a client
        that repeats a request, or sends two at once, gets the same refresh token.
        """
        successor = hmac.new(self._key.encode(), f"after {claims.jti}".encode(), sha256)
        return self._issue(claims.sub, claims.sid, successor.hexdigest()[:32], claims.exp)

    def read(self, token: str, kind: TokenKind) -> Claims:
        """Return the claims of a valid token; raise ``UnauthorizedError``."""
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=self._issuer,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED_CLAIMS},
            )
            claims = Claims.model_validate(payload)
        except (jwt.InvalidTokenError, ValidationError):
            raise UnauthorizedError("invalid or expired token") from None
        if claims.type != kind:
            raise UnauthorizedError(f"expected a token of the kind {kind}")
        return claims

    def _issue(self, user_id: int, sid: str, refresh_id: str, session_end: int) -> IssuedTokens:
        now = int(time())
        access_end = min(now + self._access_seconds, session_end)
        access = Claims(sub=user_id, sid=sid, jti=token_hex(16), type="access", exp=access_end)
        refresh = Claims(sub=user_id, sid=sid, jti=refresh_id, type="refresh", exp=session_end)
        lifetime = max(access_end - now, 0)
        return IssuedTokens(self._sign(access), self._sign(refresh), lifetime, refresh)

    def _sign(self, claims: Claims) -> str:
        more = {"sub": str(claims.sub), "iss": self._issuer, "aud": self._issuer}
        return jwt.encode(claims.model_dump() | more | {"iat": int(time())}, self._key, ALGORITHM)
