"""Passwords and logins in the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from datetime import UTC, datetime

from sqlalchemy import and_, bindparam, delete, insert, select, update

from app.crud.base import Record
from app.crud.crud_user import user
from app.db.base import Credential, Login, User
from app.kit.auth.security import Claims
from app.kit.db.engine import AsyncConnection
from app.schemas.user import UserCreate


class CRUDCredential:
    """What users log in with."""

    def __init__(self) -> None:
        self._by_email = (
            select(User.id, Credential.password_hash)
            .outerjoin(Credential)
            .where(User.email == bindparam("email"))
        )
        self._create = insert(Credential)
        expected = and_(
            Credential.user_id == bindparam("owner"),
            Credential.password_hash == bindparam("expected"),
        )
        # Of the user, too, or a deletion of the user would wait for this, and this for the deletion.
        self._is_current = (
            select(User.id).join(Credential).where(expected).with_for_update(read=True)
        )
        # Before the credential, or the login that follows and a deletion would wait for each other.
        owner = (
            select(User.id)
            .where(User.id == bindparam("owner"))
            .with_for_update(read=True, key_share=True)
        )
        self._change = (
            update(Credential)
            .where(expected, Credential.user_id == owner.scalar_subquery())
            .returning(Credential.id)
        )

    async def get_by_email(self, connection: AsyncConnection, email: str) -> Record | None:
        """Return ``id`` and ``password_hash``, or None in place of either, of a user's address."""
        result = await connection.execute(self._by_email, {"email": email.lower()})
        return result.one_or_none()

    async def create(self, connection: AsyncConnection, user_id: int, password_hash: str) -> None:
        """Give a user a password; ``ConflictError`` if they have one."""
        values = {"user_id": user_id, "password_hash": password_hash}
        await connection.execute(self._create, values)

    async def is_current(self, connection: AsyncConnection, user_id: int, expected: str) -> bool:
        """Tell whether the hash that was compared is still the user's, and keep it until the end."""
        values = {"owner": user_id, "expected": expected}
        result = await connection.execute(self._is_current, values)
        return result.one_or_none() is not None

    async def change(
        self, connection: AsyncConnection, user_id: int, expected: str, password_hash: str
    ) -> bool:
        """Put a hash in the place of the one that was compared; of two at once, one succeeds."""
        changing = self._change.values(password_hash=password_hash)
        values = {"owner": user_id, "expected": expected}
        result = await connection.execute(changing, values)
        return result.one_or_none() is not None

    async def create_user(
        self,
        connection: AsyncConnection,
        new: UserCreate,
        password_hash: str,
    ) -> Record:
        """Insert a user who can log in, and return their row."""
        row = await user.create(connection, new)
        await self.create(connection, row.id, password_hash)
        return row


credential = CRUDCredential()


class CRUDLogin:
    """Logins: opened with a password, renewed with refresh tokens, and closed."""

    def __init__(self) -> None:
        sid = Login.sid == bindparam("key")
        self._open = insert(Login)
        self._user = (
            select(*User.__table__.c).join(Login).where(sid, User.id == bindparam("user_id"))
        )
        self._renew = (
            update(Login).where(sid, Login.token_digest == bindparam("shown")).returning(Login.id)
        )
        self._close = delete(Login).where(sid)
        self._close_all = delete(Login).where(Login.user_id == bindparam("user_id"))
        # Two that clean up at the same time pass each other by.
        expired = select(Login.id).where(Login.expires_at < bindparam("now"))
        self._clean = delete(Login).where(
            Login.id.in_(expired.with_for_update(skip_locked=True).scalar_subquery())
        )

    async def open(self, connection: AsyncConnection, claims: Claims) -> None:
        """Remember a first refresh token, and forget all that have expired."""
        await connection.execute(self._clean, {"now": datetime.now(UTC)})
        values = {
            "sid": claims.sid,
            "user_id": claims.sub,
            "token_digest": claims.digest,
            "expires_at": datetime.fromtimestamp(claims.exp, UTC),
        }
        await connection.execute(self._open, values)

    async def get_user(self, connection: AsyncConnection, claims: Claims) -> Record | None:
        """Return the row of the user, unless the login was closed or the user deleted."""
        values = {"key": claims.sid, "user_id": claims.sub}
        result = await connection.execute(self._user, values)
        return result.one_or_none()

    async def renew(self, connection: AsyncConnection, shown: Claims, new: Claims) -> bool:
        """Put a new refresh token in the place of the one shown; of two at once, one succeeds.

        If another one was expected, the token shown is known to two: close the login for both.
        """
        renewing = self._renew.values(token_digest=new.digest)
        values = {"key": shown.sid, "shown": shown.digest}
        result = await connection.execute(renewing, values)
        if result.one_or_none() is not None:
            return True
        await self.close(connection, shown)
        return False

    async def close(self, connection: AsyncConnection, claims: Claims) -> None:
        """Make all tokens of the login worthless, if it is still open."""
        await connection.execute(self._close, {"key": claims.sid})

    async def close_all(self, connection: AsyncConnection, user_id: int) -> None:
        """Make all tokens of a user worthless."""
        await connection.execute(self._close_all, {"user_id": user_id})


login = CRUDLogin()

# {%- endfilter +%}
