"""Who is logged in, in the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, insert, select, update

from app.core.tokens import Claims
from app.crud.base import Record
from app.db.base import Login, User
from app.db.engine import AsyncConnection


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
