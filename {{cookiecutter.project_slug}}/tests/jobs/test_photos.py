"""Photos of recipes, seen by clients, and what happens to them afterwards."""

import logging
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from sqlalchemy import Connection, Engine, event

from app.core.config import Settings
from app.core.photos import PhotoSettings
from app.crud.base import Record
from app.crud.crud_job import job
from app.db.engine import run_from_loop
from app.db.session import Database
from app.jobs.enqueue import Enqueue
from app.jobs.flavours import run_body
from app.jobs.images import NAME, store_image
from app.jobs.photos import PHOTO, PhotoParameters, finish_photo
from app.jobs.run import Run
# {% if cookiecutter.auth %}
from tests.auth.accounts import caller
# {% endif %}
from tests.jobs.conftest import JOBS
from tests.test_recipes import RECIPES, add, submitter_id

__all__ = ["submitter_id"]  # a fixture


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def start(database: Database, parameters: PhotoParameters) -> Record:
    enqueue = Enqueue(user_id=None, idempotency_key=None)
    async with database.write() as connection:
        row = await enqueue(connection, PHOTO, parameters)
        started = await job.start(connection, row.id)
    assert started is not None
    return started


# {% endfilter %}
def image(color: str = "red") -> bytes:
    file = BytesIO()
    Image.new("RGB", (640, 480), color).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def photo_url(client: TestClient, submitter_id: int) -> str:
    return f"{RECIPES}{add(client, submitter_id)['id']}/photo"


def upload(client: TestClient, url: str, content: bytes, key: str | None = None) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(url, files={"photo": ("../mine.png", content)}, headers=headers)


def stored(settings: Settings) -> set[Path]:
    """Return the photos; thumbnails are made meanwhile."""
    return {path for path in settings.photos.photo_folder.glob("*") if NAME.fullmatch(path.name)}


def test_photo_is_stored_before_the_answer(
    client: TestClient, photo_url: str, settings: Settings
) -> None:
    response = upload(client, photo_url, image())
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    queued = client.get(response.headers["Location"]).json()
    assert settings.photos.photo_folder / queued["parameters"]["photo"] in stored(settings)


def test_same_key_gives_the_same_job_and_one_file(
    client: TestClient, photo_url: str, settings: Settings
) -> None:
    before = stored(settings)
    ids = {upload(client, photo_url, image(), key="once").json()["id"] for _ in range(3)}
    assert len(ids) == 1
    assert len(stored(settings) - before) == 1
    assert upload(client, photo_url, image("blue"), key="once").status_code == 409
    assert len(stored(settings) - before) == 1


def test_photo_stays_when_nobody_knows_whether_its_job_was_stored(
    client: TestClient, photo_url: str, settings: Settings
) -> None:
    def fail(_: Connection) -> None:
        raise RuntimeError

    before = stored(settings)
    event.listen(Engine, "commit", fail)
    try:
        assert upload(client, photo_url, image()).status_code == 500
    finally:
        event.remove(Engine, "commit", fail)
    assert len(stored(settings) - before) == 1


def test_what_is_no_photo_is_refused(client: TestClient, photo_url: str) -> None:
    assert upload(client, photo_url, b"GIF89a").status_code == 422
    assert upload(client, photo_url, bytes(5_000_001)).status_code == 413
    assert upload(client, "/api/v1/recipes/1000000/photo", image()).status_code == 404
    assert client.get(JOBS).json()["items"] == []


# {% if cookiecutter.auth %}
def test_photos_come_from_the_submitter(client: TestClient, photo_url: str) -> None:
    stranger = caller(client, "bob@example.com")
    photo = {"photo": ("mine.png", image())}
    assert client.post(photo_url, files=photo, headers=stranger).status_code == 403


# {% endif %}
async def test_photo_gets_a_thumbnail_and_one_mail(
    database: Database, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A second attempt, after the first was killed at its very end, sends no second mail."""
    caplog.set_level(logging.INFO, "app.jobs.mail")
    photos = PhotoSettings(photo_folder=tmp_path)
    settings = settings.model_copy(update={"photos": photos})
    parameters = PhotoParameters(recipe_id=1, photo=await store_image(image(), photos))
    row = await run_from_loop(partial(start, database, parameters))
    for _ in range(2):
        result = await run_body(finish_photo, Run(database, settings, row), parameters)
        with Image.open(tmp_path / result["thumbnail"]) as thumbnail:
            assert thumbnail.size == (320, 240)
    assert len([line for line in caplog.messages if "A new photo" in line]) == 1
