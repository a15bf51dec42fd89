"""Passwords in the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from sqlalchemy import and_, bindparam, insert, select, update

from app.crud.crud_user import user
from app.db.base import Credential, User
from app.kit.db.engine import AsyncConnection
from app.kit.db.model import Record
from app.schemas.user import UserCreate


class CRUDCredential:
    """Passwords of users, as hashes."""

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
        # Also locks the user: otherwise this and the deletion of the user could deadlock.
        self._is_current = (
            select(User.id).join(Credential).where(expected).with_for_update(read=True)
        )
        # Locks the user before the credential, for the same reason.
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
        """Return ``id`` and ``password_hash`` of a user; the hash is None without a password."""
        result = await connection.execute(self._by_email, {"email": email.lower()})
        return result.one_or_none()

    async def create(self, connection: AsyncConnection, user_id: int, password_hash: str) -> None:
        """Store the first password of a user; raise ``ConflictError`` if the user has one."""
        values = {"user_id": user_id, "password_hash": password_hash}
        await connection.execute(self._create, values)

    async def create_user(
        self,
        connection: AsyncConnection,
        new: UserCreate,
        password_hash: str,
    ) -> Record:
        """Insert a user with a password and return the user's row."""
        row = await user.create(connection, new)
        await self.create(connection, row.id, password_hash)
        return row

    async def is_current(self, connection: AsyncConnection, user_id: int, expected: str) -> bool:
        """Return whether a hash is still the user's, and lock it until the transaction ends."""
        values = {"owner": user_id, "expected": expected}
        result = await connection.execute(self._is_current, values)
        return result.one_or_none() is not None

    async def change(
        self, connection: AsyncConnection, user_id: int, expected: str, password_hash: str
    ) -> bool:
        """Replace a hash; return False if it is no longer the user's."""
        values = {"owner": user_id, "expected": expected}
        changing = self._change.values(password_hash=password_hash)
        result = await connection.execute(changing, values)
        return result.one_or_none() is not None


credential = CRUDCredential()

# {%- endfilter +%}
