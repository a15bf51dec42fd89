"""Conditional requests: no lost updates, and 304 for what the client has."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import asyncio
import datetime as dt
from collections.abc import Iterator

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.api.deps import DatabaseDep, IdPath
from app.core.config import Settings
from app.kit.db.engine import with_sync_connection
from app.kit.db.model import Base
from app.kit.db.versioned import Versioned
from app.kit.errors import NotFoundError
from app.kit.http.conditional import ConditionalRoute, IfMatchDep, set_etag, with_etag
from tests.support.client import running

# {% endfilter %}
NOTE = "/notes/1"
WRITERS = 100


class OwnBase(DeclarativeBase):
    type_annotation_map = Base.type_annotation_map


class Note(Versioned, OwnBase):
    __tablename__ = "note_of_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class Number(BaseModel):
    number: int


class NoteRead(Number):
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
router = APIRouter(prefix="/notes", route_class=ConditionalRoute)


@router.get("/{id}", responses=with_etag(200, 304))
async def read_note(db: DatabaseDep, id: IdPath, response: Response) -> NoteRead:
    async with db.read() as connection:
        result = await connection.execute(select(Note.__table__).where(Note.id == id))
        row = result.one()
    set_etag(response, row.version)
    return NoteRead.model_validate(row, from_attributes=True)


@router.put("/{id}", responses=with_etag(200))
async def replace_note(
    db: DatabaseDep, id: IdPath, new: Number, if_match: IfMatchDep, response: Response
) -> NoteRead:
    change = update(Note).where(Note.id == id).values(number=new.number)
    async with db.transaction() as connection:
        await if_match.check(connection, Note.__table__, id)
        result = await connection.execute(change.returning(*Note.__table__.c))
        row = result.one_or_none()
    if row is None:
        raise NotFoundError("no such note")
    set_etag(response, row.version)
    return NoteRead.model_validate(row, from_attributes=True)


# {% endfilter %}
@pytest.fixture
def with_notes(app: FastAPI, settings: Settings) -> Iterator[FastAPI]:
    """Return the service with notes, and one note."""

    def create(connection: Connection) -> None:
        OwnBase.metadata.create_all(connection)
        connection.execute(insert(Note).values(id=1, number=0))
        connection.commit()

    def drop(connection: Connection) -> None:
        OwnBase.metadata.drop_all(connection)
        connection.commit()

    with_sync_connection(settings.database_url, create)
    app.include_router(router)
    yield app
    with_sync_connection(settings.database_url, drop)


@pytest.fixture
def notes(with_notes: FastAPI, client: TestClient) -> TestClient:
    assert with_notes
    return client


def test_change_increments_the_version(notes: TestClient) -> None:
    first = notes.get(NOTE)
    assert (first.headers["ETag"], first.json()["version"]) == ('"1"', 1)
    changed = notes.put(NOTE, json={"number": 5}, headers={"If-Match": first.headers["ETag"]})
    assert (changed.headers["ETag"], changed.json()["number"]) == ('"2"', 5)
    assert changed.json()["created_at"] == first.json()["created_at"]
    assert changed.json()["updated_at"] > first.json()["updated_at"]


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', 'W/"7", "1"', "*"])
def test_known_version_is_not_sent_again(notes: TestClient, tags: str) -> None:
    answer = notes.get(NOTE, headers={"If-None-Match": tags})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", '"1"')
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("tags", ['"2"', "1", ""])
def test_other_version_is_sent(notes: TestClient, tags: str) -> None:
    assert notes.get(NOTE, headers={"If-None-Match": tags}).json()["version"] == 1


@pytest.mark.parametrize("tags", ['"1"', '"0" ,"1"', "*"])
def test_current_version_is_changed(notes: TestClient, tags: str) -> None:
    assert notes.put(NOTE, json={"number": 5}, headers={"If-Match": tags}).json()["version"] == 2


@pytest.mark.parametrize("tags", ['"2"', 'W/"1"', '"0", "2"'])
def test_other_version_is_not_changed(notes: TestClient, tags: str) -> None:
    """Weak tags never match (RFC 9110, 13.1.1)."""
    answer = notes.put(NOTE, json={"number": 5}, headers={"If-Match": tags})
    assert answer.status_code == 412
    assert answer.json()["detail"] == "the record has changed: read it again"
    assert notes.get(NOTE).json()["number"] == 0


def test_change_without_a_condition_is_refused(notes: TestClient) -> None:
    """Otherwise a client that forgets it would overwrite what others changed."""
    answer = notes.put(NOTE, json={"number": 5})
    assert answer.status_code == 428
    assert answer.json()["detail"] == "send If-Match with the ETag of the record, or * for any"
    assert notes.get(NOTE).json()["number"] == 0


def test_document_has_the_headers_and_the_answers(notes: TestClient) -> None:
    for _ in range(2):  # the document is kept, and completed again
        path = notes.get("/api/v1/openapi.json").json()["paths"]["/notes/{id}"]
    headers = [
        (method, it["name"], it["required"])
        for method in ("get", "put")
        for it in path[method]["parameters"]
        if it["in"] == "header"
    ]
    assert headers == [("get", "if-none-match", False), ("put", "if-match", True)]
    with_tag = {
        (method, status)
        for method in ("get", "put")
        for status, answer in path[method]["responses"].items()
        if "ETag" in answer.get("headers", {})
    }
    assert with_tag == {("get", "200"), ("get", "304"), ("put", "200")}
    assert path["get"]["responses"]["304"]["description"] == "Not Modified"
    assert {"412", "428"} <= path["put"]["responses"].keys()


@pytest.mark.parametrize("tags", ["1", '"1', '"1" "2"', "*, *"])
def test_condition_that_is_no_list_of_tags_is_refused(notes: TestClient, tags: str) -> None:
    answer = notes.put(NOTE, json={"number": 5}, headers={"If-Match": tags})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.if-match")


def test_missing_record_is_not_found(notes: TestClient) -> None:
    assert notes.put("/notes/2", json={"number": 5}, headers={"If-Match": '"1"'}).status_code == 404


@pytest.mark.slow
async def test_one_of_many_concurrent_writers_changes_a_version(with_notes: FastAPI) -> None:
    """So no update is lost: the others read again what they would have overwritten."""

    async def write(client: httpx2.AsyncClient, seen: str, number: int) -> int | None:
        status = 503  # the pool is small, and a writer that waited too long may try again
        while status == 503:
            answer = await client.put(NOTE, json={"number": number}, headers={"If-Match": seen})
            status = answer.status_code
        assert status in {200, 412}
        return number if status == 200 else None

    async with running(with_notes) as client:
        for _ in range(3):
            seen = (await client.get(NOTE)).headers["ETag"]
            numbers = await asyncio.gather(*(write(client, seen, it) for it in range(WRITERS)))
            (winner,) = (number for number in numbers if number is not None)
            assert (await client.get(NOTE)).json()["number"] == winner


def test_background_tasks_run_after_a_304() -> None:
    done: list[int] = []
    router = APIRouter(route_class=ConditionalRoute)

    @router.get("/")
    async def read(tasks: BackgroundTasks, response: Response) -> str:
        tasks.add_task(done.append, 1)
        set_etag(response, 1)
        return "a"

    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as client:
        assert client.get("/", headers={"If-None-Match": '"1"'}).status_code == 304
    assert done == [1]
