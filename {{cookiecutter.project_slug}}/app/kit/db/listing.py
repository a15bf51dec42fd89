"""Lists with filters and an order that the client chooses, page by page.

A page begins after the last row of the page before, whose values are in the cursor. So rows that are
added or removed meanwhile move no other row to another page, and a late page costs as much as the
first (https://use-the-index-luke.com/no-offset). Ids part rows with equal values.
"""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import base64
import datetime as dt
import operator
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Generic, NamedTuple, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.fields import FieldInfo
from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, or_, select
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.kit.db.engine import AsyncConnection
from app.kit.errors import UnprocessableError
from app.kit.schemas import Spelling, Utc

# {% endfilter %}
ItemT = TypeVar("ItemT")
# A cursor comes from the client: no value in it may be one that the database refuses.
SAFE_TYPES: dict[type, Any] = {
    int: Annotated[int, Field(ge=-(2**63), lt=2**63)],
    str: Annotated[str, Field(pattern=r"^[^\x00]*$")],
    float: Annotated[float, Field(allow_inf_nan=False)],
    dt.datetime: Utc,
}
MAX_COLUMNS = 5  # to sort by
# Enough for so many texts of 255 characters, each of six in JSON, in base64.
MAX_CURSOR_LENGTH = 16_000
PAGE_FIELDS = {"sort", "cursor", "limit"}


def sort_by(*names: str) -> FieldInfo:
    """Describe a parameter ``sort`` that takes these columns, which must not be nullable."""
    name = f"-?({'|'.join(names)})"
    text = f"up to {MAX_COLUMNS} columns; a minus sign sorts in descending order"
    times = "{0," + str(MAX_COLUMNS - 1) + "}"
    return Field(pattern=f"^{name}(,{name}){times}$", max_length=200, description=text)


class ListQuery(BaseModel):
    """The query of a list. A subclass has a field for each filter: a column to equal its value.

    It allows other orders with ``sort: Annotated[str, sort_by("title", "created_at")] = "title"``.
    """

    model_config = ConfigDict(extra="forbid")

    sort: Annotated[str, sort_by("id")] = "id"
    cursor: Annotated[
        str | None,
        Field(max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=100), Spelling] = 20


class ListPage(BaseModel, Generic[ItemT]):
    """A page; ``next_cursor`` is the ``cursor`` of the next page, null on the last page."""

    items: list[ItemT]
    next_cursor: str | None


class RowListPage(TypedDict):
    """A page of rows, for a ``ListPage`` to validate."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class _Key(NamedTuple):
    """A column to sort by."""

    name: str
    is_descending: bool


class Listing:
    """The lists of one table; statements are built once for each order and set of filters."""

    def __init__(self, table: FromClause) -> None:
        self._table = table
        self._statement = lru_cache(maxsize=128)(self._build)

    # {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
    async def page(self, connection: AsyncConnection, query: ListQuery) -> RowListPage:
        """Return the page of a query; raise ``UnprocessableError`` for a cursor of another order."""
        keys = _keys(query.sort)
        filters = query.model_dump(exclude=PAGE_FIELDS, exclude_none=True)
        after = self._read(query.cursor, query.sort, keys) if query.cursor else {}
        statement = self._statement(keys, tuple(filters), bool(after))
        # One extra row shows whether another page follows.
        values = {"limit": query.limit + 1} | after
        values |= {f"equal_{name}": value for name, value in filters.items()}
        result = await connection.execute(statement, values)
        return self._cut(result.all(), query, keys)

    # {% endfilter %}
    def _build(
        self, keys: Sequence[_Key], filters: Sequence[str], has_cursor: bool
    ) -> Select[*tuple[Any, ...]]:
        statement = select(self._table).limit(bindparam("limit"))
        for name in filters:
            statement = statement.where(self._table.c[name] == bindparam(f"equal_{name}"))
        if has_cursor:
            statement = statement.where(self._after(keys))
        columns = [(self._column(key.name), key.is_descending) for key in keys]
        return statement.order_by(*(it.desc() if desc else it for it, desc in columns))

    def _after(self, keys: Sequence[_Key]) -> ColumnElement[bool]:
        """Return the condition of the rows after the cursor.

        The first column is after it; or equal, and the second is after it; and so on. That the first
        is not before it follows, but only with this condition does an index find the place.
        """
        alternatives, equal = [], []
        for key in keys:
            column, value = self._column(key.name), bindparam(f"after_{key.name}")
            compare = operator.lt if key.is_descending else operator.gt
            alternatives.append(and_(*equal, compare(column, value)))
            equal.append(column == value)
        first, start = self._column(keys[0].name), bindparam(f"after_{keys[0].name}")
        return and_(first <= start if keys[0].is_descending else first >= start, or_(*alternatives))

    def _column(self, name: str) -> ColumnElement[Any]:
        column = self._table.c[name]
        if column.nullable:
            raise TypeError(f"{name} may be null, and databases sort nulls in different places")
        return column

    def _cursor(self, keys: Sequence[_Key]) -> TypeAdapter[tuple[Any, ...]]:
        """Return the type of the values of a cursor; the first is the order that they belong to."""
        types = (_safe_type(self._table.c[key.name].type) for key in keys)
        kind: Any = tuple.__class_getitem__((str, *types))
        return TypeAdapter(kind)

    def _read(self, cursor: str, sort: str, keys: Sequence[_Key]) -> dict[str, Any]:
        """Return the values of a cursor, by parameter of the statement."""
        try:
            order, *values = self._cursor(keys).validate_json(base64.urlsafe_b64decode(cursor))
        except (ValueError, OverflowError):  # not base64, of other types, or no time in UTC
            order, values = None, []
        if order != sort:
            raise UnprocessableError("the cursor is not of this order: begin without a cursor")
        return {f"after_{key.name}": value for key, value in zip(keys, values, strict=True)}

    def _cut(self, rows: Sequence[Any], query: ListQuery, keys: Sequence[_Key]) -> RowListPage:
        items = [dict(row._mapping) for row in rows[: query.limit]]
        if len(rows) <= query.limit:
            return {"items": items, "next_cursor": None}
        values = (query.sort, *(items[-1][key.name] for key in keys))
        text = self._cursor(keys).dump_json(values)
        return {"items": items, "next_cursor": base64.urlsafe_b64encode(text).decode()}


def _safe_type(column: TypeEngine[Any]) -> object:
    """Return the type of the values of a column, for pydantic."""
    plain = column.impl_instance if isinstance(column, TypeDecorator) else column
    kind = plain.python_type
    if kind is object:
        raise TypeError(f"{column!r} does not say which values it has, so no list is sorted by it")
    if kind is not Decimal:
        return SAFE_TYPES.get(kind, kind)
    digits, places = getattr(column, "precision", None), getattr(column, "scale", None)
    return Annotated[Decimal, Field(max_digits=digits, decimal_places=places)]


def _keys(sort: str) -> tuple[_Key, ...]:
    """Return the columns to sort by, each once; the id comes last and parts equal rows."""
    keys = [_Key(name.removeprefix("-"), name.startswith("-")) for name in sort.split(",")]
    found: dict[str, _Key] = {}
    for key in (*keys, _Key("id", keys[-1].is_descending)):
        found.setdefault(key.name, key)
    return tuple(found.values())
