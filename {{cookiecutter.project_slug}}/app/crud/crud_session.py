"""Sessions in the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from datetime import UTC, datetime

from sqlalchemy import Float, bindparam, delete, insert, select, update

from app.db.base import Session, User
from app.kit.auth.tokens import Claims
from app.kit.db.clock import database_time
from app.kit.db.engine import AsyncConnection
from app.kit.db.model import Record


class CRUDSession:
    """Sessions: opened by a login, renewed by refresh tokens, ended by a logout or by theft."""

    def __init__(self) -> None:
        sid = Session.sid == bindparam("key")
        given = bindparam("given")
        self._open = insert(Session)
        self._user = (
            select(*User.__table__.c).join(Session).where(sid, User.id == bindparam("user_id"))
        )
        self._renew = (
            update(Session)
            .where(sid, Session.token_digest == given)
            .values(
                token_digest=bindparam("successor"),
                replaced_digest=given,
                replaced_at=database_time(),
            )
            .returning(Session.id)
        )
        since = database_time(bindparam("since_seconds", type_=Float()))
        self._repeat = select(Session.id).where(
            sid,
            Session.token_digest == bindparam("successor"),
            Session.replaced_digest == given,
            Session.replaced_at > since,
        )
        self._revoke = delete(Session).where(sid)
        self._revoke_all = delete(Session).where(Session.user_id == bindparam("user_id"))
        # Skips rows that another transaction is deleting, to avoid deadlocks.
        expired = select(Session.id).where(Session.expires_at < database_time())
        self._purge = delete(Session).where(
            Session.id.in_(expired.with_for_update(skip_locked=True).scalar_subquery())
        )

    async def open(self, connection: AsyncConnection, claims: Claims) -> None:
        """Store a new session from the claims of its refresh token; delete all expired sessions."""
        await connection.execute(self._purge)
        values = {
            "sid": claims.sid,
            "user_id": claims.sub,
            "token_digest": claims.digest,
            "expires_at": datetime.fromtimestamp(claims.exp, UTC),
        }
        await connection.execute(self._open, values)

    async def get_user(self, connection: AsyncConnection, claims: Claims) -> Record | None:
        """Return the user's row, or None if the session was revoked or the user deleted."""
        values = {"key": claims.sid, "user_id": claims.sub}
        result = await connection.execute(self._user, values)
        return result.one_or_none()

    async def renew(
        self,
        connection: AsyncConnection,
        given: Claims,
        successor: Claims,
        grace_seconds: float,
    ) -> bool:
        """Replace the refresh token; return False if the session has ended.

        Accept the previous token again for ``grace_seconds``. Later use of it, or use of an older
        token, means that it was stolen: revoke the session.
        """
        values: dict[str, object] = {
            "key": given.sid,
            "given": given.digest,
            "successor": successor.digest,
        }
        renewed = await connection.execute(self._renew, values)
        if renewed.one_or_none() is not None:
            return True
        values["since_seconds"] = -grace_seconds
        repeated = await connection.execute(self._repeat, values)
        if repeated.one_or_none() is not None:
            return True
        await self.revoke(connection, given)
        return False

    async def revoke(self, connection: AsyncConnection, claims: Claims) -> None:
        """End the session, if it still exists; all its tokens become invalid."""
        await connection.execute(self._revoke, {"key": claims.sid})

    async def revoke_all(self, connection: AsyncConnection, user_id: int) -> None:
        """End all sessions of a user."""
        await connection.execute(self._revoke_all, {"user_id": user_id})


session = CRUDSession()

# {%- endfilter +%}
