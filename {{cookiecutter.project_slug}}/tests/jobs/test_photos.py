"""Photos of recipes: what clients see, and the job that follows."""

import logging
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image

from app.core.config import Settings
from app.db.session import Database
from app.jobs.photos import PHOTO, PhotoParameters, finish_photo, photo_store
from app.kit.db.engine import call_from_async
from app.kit.db.model import Record
from app.kit.images import NAME
from app.kit.jobs.calls import call_handler
from app.kit.jobs.context import JobContext
from app.kit.jobs.enqueue import Enqueue
from app.kit.jobs.queries import jobs
from app.kit.jobs.store import JobStore
# {% if cookiecutter.auth %}
from tests.support.accounts import caller
# {% endif %}
from tests.support.faults import failing_commits
from tests.support.job_requests import JOBS
from tests.support.jobs import QUEUE
from tests.support.recipes import RECIPES, add_recipe


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def start(database: Database, parameters: PhotoParameters) -> Record:
    enqueue = Enqueue(QUEUE)
    async with database.transaction() as connection:
        row = await enqueue(connection, PHOTO, parameters)
        started = await jobs.start(connection, row.id, JobStore.startable)
    assert started is not None
    return started


# {% endfilter %}
def painted(color: str = "red") -> bytes:
    file = BytesIO()
    Image.new("RGB", (640, 480), color).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def photo_url(client: TestClient) -> str:
    return f"{RECIPES}{add_recipe(client)['id']}/photo"


def upload(client: TestClient, url: str, content: bytes, key: str | None = None) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(url, files={"photo": ("../mine.png", content)}, headers=headers)


def stored_photos(settings: Settings) -> set[Path]:
    """Return the photos; thumbnails are made meanwhile."""
    return {path for path in settings.photo_folder.glob("*") if NAME.fullmatch(path.name)}


def test_photo_is_a_file_for_generated_clients(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    form = document["components"]["schemas"]["Body_upload_photo"]
    assert form["properties"]["photo"]["format"] == "binary"


def test_photo_is_stored_before_the_answer(
    client: TestClient, photo_url: str, settings: Settings
) -> None:
    response = upload(client, photo_url, painted())
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    queued = client.get(response.headers["Location"]).json()
    assert settings.photo_folder / queued["parameters"]["photo"] in stored_photos(settings)


def test_same_key_gives_the_same_job_and_one_file(
    client: TestClient, photo_url: str, settings: Settings
) -> None:
    before = stored_photos(settings)
    ids = {upload(client, photo_url, painted(), key="once").json()["id"] for _ in range(3)}
    assert len(ids) == 1
    assert len(stored_photos(settings) - before) == 1
    assert upload(client, photo_url, painted("blue"), key="once").status_code == 409
    assert len(stored_photos(settings) - before) == 1


def test_photo_stays_if_the_commit_of_its_job_fails(
    client: TestClient, photo_url: str, settings: Settings
) -> None:
    before = stored_photos(settings)
    with failing_commits():
        assert upload(client, photo_url, painted()).status_code == 500
    assert len(stored_photos(settings) - before) == 1


def test_invalid_photo_is_refused(client: TestClient, photo_url: str) -> None:
    assert upload(client, photo_url, b"GIF89a").status_code == 422
    assert upload(client, photo_url, bytes(5_000_001)).status_code == 413
    assert upload(client, "/api/v1/recipes/1000000/photo", painted()).status_code == 404
    assert client.get(JOBS).json()["items"] == []


def test_photos_may_be_larger_than_other_bodies(client: TestClient) -> None:
    url = f"{RECIPES}1/photo"
    limit = 5_010_000
    assert client.post(url, content=b" " * limit).status_code != 413
    refused = client.post(url, content=b" " * (limit + 1))
    assert refused.json()["detail"] == f"the body is larger than {limit} bytes"


# {% if cookiecutter.auth %}
def test_only_the_submitter_uploads_photos(client: TestClient, photo_url: str) -> None:
    stranger = caller(client, "bob@example.com")
    photo = {"photo": ("mine.png", painted())}
    assert client.post(photo_url, files=photo, headers=stranger).status_code == 403


# {% endif %}
async def test_photo_gets_a_thumbnail_and_one_mail(
    database: Database, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A second attempt, after the first was killed at its very end, sends no second mail."""
    caplog.set_level(logging.INFO, "app.kit.mail")
    settings = settings.model_copy(update={"photo_folder": tmp_path})
    photo = await photo_store(settings).add(painted())
    parameters = PhotoParameters(recipe_id=1, photo=photo)
    row = await call_from_async(partial(start, database, parameters))
    for _ in range(2):
        result = await call_handler(finish_photo, JobContext(database, settings, row), parameters)
        with Image.open(tmp_path / result["thumbnail"]) as thumbnail:
            assert thumbnail.size == (320, 240)
    assert len([line for line in caplog.messages if "A new photo" in line]) == 1
