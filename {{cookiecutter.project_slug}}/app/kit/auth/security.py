"""Secrets: how passwords are hashed, and what tokens claim."""

import logging
from collections.abc import Callable
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from time import time
from typing import Annotated, Literal, NamedTuple, TypeAlias, TypeVar

import jwt
from anyio import CapacityLimiter, fail_after, to_thread
from pwdlib import PasswordHash
from pydantic import BaseModel, Field, ValidationError

from app.core.about import ABOUT
from app.kit.auth.settings import AuthSettings
from app.kit.errors import UnauthorizedError, UnavailableError

# Each hash takes 64 MiB and all cores; more at a time would be no faster.
HASHES_AT_ONCE = 2
HASH_WAIT_SECONDS = 10
SIGNATURE = "HS256"
REQUIRED_CLAIMS = ["aud", "exp", "iat", "iss", "sub"]
# The clocks of two machines differ a little.
LEEWAY_SECONDS = 5

logger = logging.getLogger(__name__)
hasher = PasswordHash.recommended()  # Argon2id

ResultT = TypeVar("ResultT")
TokenKind: TypeAlias = Literal["access", "refresh"]
RandomId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Passwords:
    """Hashes and checks in threads of its own, few at a time; the rest wait, for a bounded time."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(HASHES_AT_ONCE)
        self._of_nobody = hasher.hash("")

    async def hash(self, password: str) -> str:
        """Return what can be stored; raise ``UnavailableError`` if too many wait."""
        return await self._in_turn(lambda: hasher.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Compare with a stored hash; without one it takes as long, so that nobody can tell."""
        expected = self._of_nobody if stored is None else stored
        is_equal = await self._in_turn(lambda: hasher.verify(password, expected))
        return is_equal and stored is not None

    async def _in_turn(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            with fail_after(HASH_WAIT_SECONDS):  # work that has begun is not given up
                return await to_thread.run_sync(work, limiter=self._limiter)
        except TimeoutError:
            raise UnavailableError("too many passwords wait to be checked") from None


class Claims(BaseModel):
    """Whose token it is, of which login, which one, of which kind, and until when (Unix time)."""

    sub: Annotated[int, Field(ge=1, lt=2**63)]
    sid: RandomId
    jti: RandomId
    type: TokenKind
    exp: int

    @property
    def digest(self) -> str:
        """What is stored of a token: enough to know it again, too little to make it."""
        return sha256(self.jti.encode()).hexdigest()


class Pair(NamedTuple):
    """A short-lived token for access, one to get a new pair with, and what the latter claims."""

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

    def read(self, token: str, kind: TokenKind) -> Claims:
        """Return what a token of ours claims; raise ``UnauthorizedError``."""
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[SIGNATURE],
                audience=ABOUT.title,
                issuer=ABOUT.title,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED_CLAIMS},
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
        return jwt.encode(claims.model_dump() | more, self._key, SIGNATURE)
