"""Passwords in the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from sqlalchemy import and_, bindparam, insert, select, update

from app.crud.base import Record
from app.crud.crud_user import user
from app.db.base import Credential, User
from app.db.engine import AsyncConnection
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
        self._change = update(Credential).where(expected).returning(Credential.id)

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

# {%- endfilter +%}
