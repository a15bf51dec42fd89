"""The operations every model has.

All are Core statements made once; rows come back for a response model to validate. The caller owns
the unit of work: nothing here commits.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel
from sqlalchemy import Row, bindparam, delete, insert, select, update

from app.db.base import Base  # all models, or a foreign key finds no table
from app.kit.db.engine import AsyncConnection
from app.kit.errors import NotFoundError

ModelT = TypeVar("ModelT", bound=Base)
CreateT = TypeVar("CreateT", bound=BaseModel)
UpdateT = TypeVar("UpdateT", bound=BaseModel)
Record: TypeAlias = Row[*tuple[Any, ...]]


class CRUDBase(Generic[ModelT, CreateT, UpdateT]):
    """Create, read, update and delete one model."""

    def __init__(self, model: type[ModelT]) -> None:
        self.model = model
        self.table = table = model.__table__
        key = table.c.id == bindparam("key")
        self._get = select(table).where(key)
        self._page = (
            select(table)
            .where(table.c.id > bindparam("after"))
            .order_by(table.c.id)
            .limit(bindparam("limit"))
        )
        self._create = insert(model).returning(*table.c)
        self._update = update(model).where(key).returning(*table.c)
        self._remove = delete(model).where(key).returning(table.c.id)

    async def get(self, connection: AsyncConnection, id: int) -> Record:
        """Return one row; raise ``NotFoundError``."""
        result = await connection.execute(self._get, {"key": id})
        return self._found(result.one_or_none(), id)

    async def get_multi(
        self,
        connection: AsyncConnection,
        *,
        after: int,
        limit: int,
    ) -> Sequence[Record]:
        """Return up to ``limit`` rows that follow the key ``after``, in the order of their keys."""
        result = await connection.execute(self._page, {"after": after, "limit": limit})
        return result.all()

    async def create(
        self,
        connection: AsyncConnection,
        new: CreateT,
        more: Mapping[str, object] | None = None,
    ) -> Record:
        """Insert one row, with ``more`` that clients have no say in, and return it."""
        result = await connection.execute(self._create, {**new.model_dump(), **(more or {})})
        return result.one()

    async def replace(self, connection: AsyncConnection, id: int, new: CreateT) -> Record:
        """Change all fields and return the row; raise ``NotFoundError``."""
        return await self._change(connection, id, new.model_dump())

    async def update(self, connection: AsyncConnection, id: int, changes: UpdateT) -> Record:
        """Change the fields that were sent and return the row; raise ``NotFoundError``."""
        return await self._change(connection, id, changes.model_dump(exclude_unset=True))

    async def remove(self, connection: AsyncConnection, id: int) -> None:
        """Delete one row; raise ``NotFoundError``."""
        result = await connection.execute(self._remove, {"key": id})
        self._found(result.one_or_none(), id)

    async def _change(
        self,
        connection: AsyncConnection,
        id: int,
        values: Mapping[str, object],
    ) -> Record:
        if not values:
            return await self.get(connection, id)
        result = await connection.execute(self._update.values(values), {"key": id})
        return self._found(result.one_or_none(), id)

    def _found(self, row: Record | None, id: int) -> Record:
        if row is None:
            raise NotFoundError(f"{self.model.__name__} {id} does not exist")
        return row


# {%- endfilter +%}
