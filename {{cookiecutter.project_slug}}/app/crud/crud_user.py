"""Users in the database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from sqlalchemy import bindparam, select

from app.crud.base import CRUDBase
from app.kit.db.database import Executor
from app.kit.db.model import Record
from app.models.user import User
from app.schemas.user import UserCreate


class CRUDUser(CRUDBase[User, UserCreate, UserCreate]):
    """Users, with a search by e-mail address."""

    def __init__(self) -> None:
        super().__init__(User)
        self._by_email = select(self.table).where(User.email == bindparam("email"))

    async def get_by_email(self, connection: Executor, email: str) -> Record | None:
        """Return the user with this address, or None."""
        result = await connection.execute(self._by_email, {"email": email.lower()})
        return result.one_or_none()


user = CRUDUser()

# {%- endfilter +%}
