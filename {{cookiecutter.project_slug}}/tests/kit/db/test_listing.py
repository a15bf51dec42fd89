"""Lists with filters and an order that the client chooses."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import base64
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import Connection, Executable, delete, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.types import UserDefinedType

from app.api.deps import DatabaseDep
from app.core.config import Settings
from app.kit.db.engine import with_sync_connection
from app.kit.db.listing import (
    MAX_COLUMNS,
    Listing,
    ListPage,
    ListQuery,
    _Key,
    _safe_type,
    sort_by,
)
from app.kit.db.model import Base
from app.kit.db.types import ExactDecimal
from app.kit.schemas import Text

# {% endfilter %}
COLUMNS = ("title", "rank", "made_at", "price")
FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class OwnBase(DeclarativeBase):
    type_annotation_map = Base.type_annotation_map


class Book(OwnBase):
    __tablename__ = "book_of_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    rank: Mapped[float]
    made_at: Mapped[dt.datetime]
    price: Mapped[Decimal] = mapped_column(ExactDecimal(6, 2))
    note: Mapped[str | None]


# Equal values everywhere, so that only the id parts some rows.
ROWS: list[dict[str, Any]] = [
    {
        "id": it,
        "title": "abc"[it % 3],
        "rank": it % 4 / 2,
        "made_at": FIRST + dt.timedelta(it % 5),
        "price": Decimal(it % 6) / 4,
    }
    for it in range(1, 41)
]


class BookQuery(ListQuery):
    sort: Annotated[str, sort_by(*COLUMNS, "id", "note")] = "id"
    title: Text | None = None
    rank: float | None = None


class BookRead(BaseModel):
    id: int
    title: str
    rank: float


books = Listing(Book.__table__)
router = APIRouter(prefix="/books")


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
@router.get("/")
async def list_books(db: DatabaseDep, query: Annotated[BookQuery, Query()]) -> ListPage[BookRead]:
    async with db.read() as connection:
        page = await books.page(connection, query)
    return ListPage[BookRead].model_validate(page)


# {% endfilter %}
def execute(settings: Settings, *statements: Executable) -> None:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)
        connection.commit()

    with_sync_connection(settings.database_url, run)


@pytest.fixture
def listed(app: FastAPI, client: TestClient, settings: Settings) -> Iterator[TestClient]:
    """Return a client of the service with books."""
    table = Book.metadata.tables["book_of_the_tests"]
    execute(settings, CreateTable(table), insert(Book).values(ROWS))
    app.include_router(router)
    yield client
    execute(settings, DropTable(table))


def pages(client: TestClient, **query: str | float) -> Iterator[list[dict[str, Any]]]:
    """Yield the items of each page."""
    while True:
        answer = client.get("/books/", params=query)
        assert answer.status_code == 200, answer.text
        yield answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return
        query["cursor"] = answer.json()["next_cursor"]


def in_order(sort: str) -> list[int]:
    """Return the ids as Python sorts the rows: stable, so by the last column first."""
    names = sort.split(",")
    rows = sorted(ROWS, key=itemgetter("id"), reverse=names[-1].startswith("-"))
    for name in reversed(names):
        rows.sort(key=itemgetter(name.removeprefix("-")), reverse=name.startswith("-"))
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    "sort",
    [
        "id",
        "-id",
        "title",
        "-made_at",
        "-rank,title",
        "title,-made_at",
        "rank,-title,made_at,-id",
        "-price",
    ],
)
@pytest.mark.parametrize("limit", [7, 40])
def test_pages_are_in_order_and_have_each_row_once(
    listed: TestClient, sort: str, limit: int
) -> None:
    found = [row["id"] for page in pages(listed, sort=sort, limit=limit) for row in page]
    assert found == in_order(sort)


def test_column_counts_where_it_is_named_first(listed: TestClient) -> None:
    (page,) = pages(listed, sort="rank,-rank,title", limit=100)
    assert [row["id"] for row in page] == in_order("rank,title")


def test_cursor_of_the_longest_texts_is_accepted() -> None:
    """Characters that JSON escapes take the most."""
    texts = ("\x01" * 255,) * MAX_COLUMNS
    cursor = base64.urlsafe_b64encode(json.dumps(("x" * 200, *texts, 2**63 - 1)).encode())
    assert ListQuery(cursor=cursor.decode()).cursor


def test_filters_are_columns_to_equal(listed: TestClient) -> None:
    found = [row for page in pages(listed, title="b", rank=0.5, limit=1) for row in page]
    assert [row["id"] for row in found] == [
        row["id"] for row in ROWS if (row["title"], row["rank"]) == ("b", 0.5)
    ]
    assert len(found) > 2


def test_rows_that_come_and_go_move_no_other_row(listed: TestClient, settings: Settings) -> None:
    walk = pages(listed, sort="title,-id", limit=10)
    first = next(walk)
    before = {"id": 99, "title": "a", "rank": 0, "made_at": FIRST, "price": Decimal(0)}
    execute(settings, insert(Book).values(before), delete(Book).where(Book.id == first[-1]["id"]))
    rest = [row["id"] for page in walk for row in page]
    assert [row["id"] for row in first] + rest == in_order("title,-id")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sort": "secret"}, "query.sort"),
        ({"sort": "title;id"}, "query.sort"),
        ({"sort": "--title"}, "query.sort"),
        ({"sort": "title,rank,made_at,price,id,title"}, "query.sort"),
        ({"sort": ""}, "query.sort"),
        ({"made_at": "2026-01-01"}, "query.made_at"),
        ({"limit": "0"}, "query.limit"),
    ],
)
def test_other_columns_are_refused(listed: TestClient, query: dict[str, str], field: str) -> None:
    answer = listed.get("/books/", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        cursor("id", 7),
        cursor("title", "a\0", 7),
        cursor("title", "\ud800", 7),
        cursor("title", "a", 2**63),
        cursor("title", "a"),
        cursor("title", "a", 7, 7),
        cursor(),
        "e30=",
        "e30",
        "é",
        "null",
    ],
)
def test_cursor_of_no_page_is_refused(listed: TestClient, text: str) -> None:
    answer = listed.get("/books/", params={"sort": "title", "cursor": text})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "the cursor is not of this order: begin without a cursor"


@pytest.mark.parametrize(
    "value",
    [
        ("rank", "NaN"),
        ("price", "1e300"),
        ("price", "10000.00"),
        ("price", "0.001"),
        ("made_at", "0001-01-01T00:00:00+23:00"),
        ("made_at", "soon"),
    ],
)
def test_value_that_no_row_can_have_is_refused(listed: TestClient, value: tuple[str, str]) -> None:
    query = {"sort": value[0], "cursor": cursor(*value, 7)}
    assert listed.get("/books/", params=query).status_code == 422


def test_column_that_may_be_null_is_no_order() -> None:
    with pytest.raises(TypeError, match="note may be null"):
        books._build([_Key("note", is_descending=False)], [], has_cursor=False)


def test_column_of_unknown_values_is_no_order() -> None:
    with pytest.raises(TypeError, match="does not say which values it has"):
        _safe_type(UserDefinedType())
