"""Create, read, update and delete rows of any model.

The statements are built once, with SQLAlchemy Core. The methods return rows, which response models
validate, and never commit: the caller owns the transaction.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from collections.abc import Mapping
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import bindparam, delete, insert, select, update

from app.db.base import Base  # imports all models, which foreign keys need
from app.kit.db.database import Executor
from app.kit.db.model import Record
from app.kit.errors import NotFoundError
from app.kit.schemas import PageQuery, RowPage, cut_page

ModelT = TypeVar("ModelT", bound=Base)
CreateT = TypeVar("CreateT", bound=BaseModel)
UpdateT = TypeVar("UpdateT", bound=BaseModel)


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

    async def get(self, connection: Executor, id: int) -> Record:
        """Return one row; raise ``NotFoundError``."""
        result = await connection.execute(self._get, {"key": id})
        return self._found(result.one_or_none(), id)

    async def get_multi(self, connection: Executor, page: PageQuery) -> RowPage:
        """Return a page of rows after the id ``page.after``, ordered by id."""
        # One extra row shows whether another page follows.
        values = {"after": page.after, "limit": page.limit + 1}
        result = await connection.execute(self._page, values)
        return cut_page(result.all(), page.limit)

    async def create(
        self, connection: Executor, new: CreateT, more: Mapping[str, object] | None = None
    ) -> Record:
        """Insert one row and return it; ``more`` holds values that clients cannot send."""
        result = await connection.execute(self._create, {**new.model_dump(), **(more or {})})
        return result.one()

    async def replace(self, connection: Executor, id: int, new: CreateT) -> Record:
        """Change all fields and return the row; raise ``NotFoundError``."""
        return await self._change(connection, id, new.model_dump())

    async def update(self, connection: Executor, id: int, changes: UpdateT) -> Record:
        """Change the fields that were sent and return the row; raise ``NotFoundError``."""
        return await self._change(connection, id, changes.model_dump(exclude_unset=True))

    async def remove(self, connection: Executor, id: int) -> None:
        """Delete one row; raise ``NotFoundError``."""
        result = await connection.execute(self._remove, {"key": id})
        self._found(result.one_or_none(), id)

    async def _change(self, connection: Executor, id: int, values: Mapping[str, object]) -> Record:
        if not values:
            return await self.get(connection, id)
        result = await connection.execute(self._update.values(values), {"key": id})
        return self._found(result.one_or_none(), id)

    def _found(self, row: Record | None, id: int) -> Record:
        if row is None:
            raise NotFoundError(f"{self.model.__name__} {id} does not exist")
        return row


# {%- endfilter +%}
