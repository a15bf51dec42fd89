"""Photos of recipes: what clients see, what of an image is kept, and where."""

import logging
import os
import struct
import threading
import zlib
from functools import partial
from io import BytesIO
from pathlib import Path

import anyio
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import Connection, Engine, event

from app.core.config import Settings
from app.core.errors import UnsuitableImageError
from app.core.photos import PhotoSettings
from app.crud.base import Record
from app.db.session import Database
from app.jobs.photos import (
    DECODER,
    MOST_PHOTOS,
    NAME,
    PHOTO,
    PhotoParameters,
    finish_photo,
    make_thumbnail,
    store_image,
)
from app.kit.db.engine import call_from_async
from app.kit.errors import TooLargeError, UnavailableError
from app.kit.jobs.calls import run_body
from app.kit.jobs.context import Run
from app.kit.jobs.enqueue import Enqueue
from app.kit.jobs.store import job
# {% if cookiecutter.auth %}
from tests.support.accounts import caller
# {% endif %}
from tests.support.job_requests import JOBS
from tests.support.recipes import RECIPES, add_recipe

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def start(database: Database, parameters: PhotoParameters) -> Record:
    enqueue = Enqueue(user_id=None, idempotency_key=None)
    async with database.transaction() as connection:
        row = await enqueue(connection, PHOTO, parameters)
        started = await job.start(connection, row.id)
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


def test_photo_stays_when_nobody_knows_whether_its_job_was_stored(
    client: TestClient, photo_url: str, settings: Settings
) -> None:
    def fail(_: Connection) -> None:
        raise RuntimeError

    before = stored_photos(settings)
    event.listen(Engine, "commit", fail)
    try:
        assert upload(client, photo_url, painted()).status_code == 500
    finally:
        event.remove(Engine, "commit", fail)
    assert len(stored_photos(settings) - before) == 1


def test_what_is_no_photo_is_refused(client: TestClient, photo_url: str) -> None:
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
def test_photos_come_from_the_submitter(client: TestClient, photo_url: str) -> None:
    stranger = caller(client, "bob@example.com")
    photo = {"photo": ("mine.png", painted())}
    assert client.post(photo_url, files=photo, headers=stranger).status_code == 403


# {% endif %}
async def test_photo_gets_a_thumbnail_and_one_mail(
    database: Database, settings: Settings, photos: PhotoSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """A second attempt, after the first was killed at its very end, sends no second mail."""
    caplog.set_level(logging.INFO, "app.kit.mail")
    settings = settings.model_copy(update={"photo_folder": photos.photo_folder})
    parameters = PhotoParameters(recipe_id=1, photo=await store_image(painted(), photos))
    row = await call_from_async(partial(start, database, parameters))
    for _ in range(2):
        result = await run_body(finish_photo, Run(database, settings, row), parameters)
        with Image.open(photos.photo_folder / result["thumbnail"]) as thumbnail:
            assert thumbnail.size == (320, 240)
    assert len([line for line in caplog.messages if "A new photo" in line]) == 1


@pytest.fixture
def photos(tmp_path: Path) -> PhotoSettings:
    return PhotoSettings(photo_folder=tmp_path / "photos")


def encoded(
    format: str,
    mode: str = "RGB",
    size: tuple[int, int] = (64, 32),
    **more: object,
) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, format, **more)
    return file.getvalue()


def enlarged(width: int, height: int) -> bytes:
    """Return a PNG that claims to be larger than it is."""
    png = bytearray(encoded("PNG"))
    png[16:24] = struct.pack(">II", width, height)
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    return bytes(png)


def without_palette() -> bytes:
    """Return a PNG that says it has a palette, and has none."""
    png = encoded("PNG", "P")
    start = png.index(b"PLTE") - 4
    (length,) = struct.unpack(">I", png[start : start + 4])
    return png[:start] + png[start + 12 + length :]


@pytest.mark.parametrize(
    ("format", "mode", "suffix"),
    [
        ("JPEG", "RGB", ".jpg"),
        ("JPEG", "CMYK", ".jpg"),
        ("PNG", "RGBA", ".png"),
        ("PNG", "P", ".png"),
        ("PNG", "I;16", ".png"),
        ("WEBP", "RGB", ".webp"),
    ],
)
async def test_image_is_stored_under_a_name_of_ours(
    photos: PhotoSettings, format: str, mode: str, suffix: str
) -> None:
    content = encoded(format, mode)
    name = await store_image(content, photos)
    assert NAME.fullmatch(name)
    assert name.endswith(suffix)
    assert [path.name for path in photos.photo_folder.iterdir()] == [name]
    with Image.open(photos.photo_folder / name) as stored, Image.open(BytesIO(content)) as sent:
        assert (stored.format, stored.mode, stored.size) == (format, mode, sent.size)
        brightness = [image.convert("RGB").getpixel((9, 16)) for image in (stored, sent)]
    assert brightness[0] == pytest.approx(brightness[1], abs=8)
    assert await store_image(content, photos) != name


@FORMATS
async def test_only_what_can_be_seen_is_kept(photos: PhotoSettings, format: str) -> None:
    exif = Image.Exif()
    exif[271] = "secret camera"
    exif.get_ifd(0x8825)[29] = "secret place"
    text = PngInfo()
    text.add_text("Comment", "secret note")
    # Each format takes what it knows.
    notes = {"comment": "secret note", "pnginfo": text, "xmp": b"secret note"}
    content = encoded(format, "RGB", (64, 32), exif=exif, icc_profile=PROFILE, **notes)
    name = await store_image(content + b"secret archive", photos)
    stored = (photos.photo_folder / name).read_bytes()
    assert content.count(b"secret") >= 3
    assert b"secret" not in stored
    with Image.open(BytesIO(stored)) as image:
        assert image.info["icc_profile"] == PROFILE
        assert not image.getexif()


@FORMATS
async def test_image_is_stored_upright(photos: PhotoSettings, format: str) -> None:
    exif = Image.Exif()
    exif[274] = 6  # the camera was held upright
    name = await store_image(encoded(format, exif=exif), photos)
    with Image.open(photos.photo_folder / name) as image:
        assert image.size == (32, 64)


async def test_first_picture_of_several_is_a_jpeg(photos: PhotoSettings) -> None:
    others = [Image.new("RGB", (9, 9))]
    name = await store_image(encoded("MPO", save_all=True, append_images=others), photos)
    with Image.open(photos.photo_folder / name) as image:
        assert (image.format, image.size) == ("JPEG", (64, 32))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff\xe0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + encoded("JPEG"),
        encoded("GIF"),
        encoded("TIFF"),
        *(encoded(format)[:-40] for format in ("JPEG", "PNG", "WEBP")),
        pytest.param(without_palette(), id="without its palette"),
    ],
    ids=lambda content: repr(content[:9]),
)
async def test_what_is_no_whole_image_is_refused(photos: PhotoSettings, content: bytes) -> None:
    with pytest.raises(UnsuitableImageError, match="not a whole JPEG, PNG or WebP image"):
        await store_image(content, photos)
    assert not photos.photo_folder.exists()


@pytest.mark.parametrize(
    ("width", "height"),
    [(5_000, 5_001), (10_000, 10_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (16_384, 1)],
)
async def test_too_many_pixels_are_refused_unread(
    photos: PhotoSettings, width: int, height: int
) -> None:
    with pytest.raises(UnsuitableImageError, match="more than 25000000 pixels"):
        await store_image(enlarged(width, height), photos)


async def test_large_file_is_refused_unread(photos: PhotoSettings) -> None:
    with pytest.raises(TooLargeError, match="larger than 5000000 bytes"):
        await store_image(b" " * 5_000_001, photos)


@pytest.mark.slow
async def test_large_photo_full_of_details_is_stored(photos: PhotoSettings) -> None:
    file = BytesIO()
    noise = Image.effect_noise((1_250, 1_250), 20).resize((5_000, 5_000))
    noise.save(file, "WEBP", quality=75, method=1)
    assert await store_image(file.getvalue(), photos)


async def test_failed_write_leaves_no_file(
    photos: PhotoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        assert threading.current_thread() is not threading.main_thread()
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        await store_image(encoded("JPEG"), photos)
    assert list(photos.photo_folder.iterdir()) == []


async def test_what_killed_processes_left_is_deleted(photos: PhotoSettings) -> None:
    photos.photo_folder.mkdir()
    names = ("left.part", "folder.part", "written.part")
    left, folder, written = (photos.photo_folder / name for name in names)
    left.touch()
    folder.mkdir()
    written.touch()
    for path in (left, folder):
        os.utime(path, (0, 0))
    name = await store_image(encoded("JPEG"), photos)
    there = {path.name for path in photos.photo_folder.iterdir()}
    assert there == {name, folder.name, written.name}


@FORMATS
async def test_thumbnail_is_small_and_the_same_each_time(
    photos: PhotoSettings, format: str
) -> None:
    name = await store_image(encoded(format, "RGB", (640, 480), icc_profile=PROFILE), photos)
    thumbnail = await make_thumbnail(photos, name)
    assert await make_thumbnail(photos, name) == thumbnail
    assert {path.name for path in photos.photo_folder.iterdir()} == {name, thumbnail}
    with Image.open(photos.photo_folder / thumbnail) as image:
        assert (image.format, image.size) == (format, (320, 240))
        assert image.info["icc_profile"] == PROFILE


async def test_scan_of_16_bits_gets_a_thumbnail(photos: PhotoSettings) -> None:
    name = await store_image(encoded("PNG", "I;16", (1_280, 1_280)), photos)
    with Image.open(photos.photo_folder / await make_thumbnail(photos, name)) as image:
        assert (image.mode, image.size) == ("I;16", (320, 320))


async def test_few_photos_wait_while_one_is_decoded(photos: PhotoSettings) -> None:
    name = await store_image(encoded("JPEG"), photos)
    is_free = threading.Event()
    DECODER.submit(is_free.wait)
    async with anyio.create_task_group() as group:
        try:
            group.start_soon(make_thumbnail, photos, name)
            for _ in range(MOST_PHOTOS):
                group.start_soon(store_image, encoded("JPEG"), photos)
            await anyio.sleep(0.1)
            with pytest.raises(UnavailableError), anyio.fail_after(1):
                await store_image(encoded("JPEG"), photos)
            assert len(list(photos.photo_folder.iterdir())) == 1
        finally:
            is_free.set()
    assert len(list(photos.photo_folder.iterdir())) == 2 + MOST_PHOTOS
    await store_image(encoded("JPEG"), photos)


@pytest.mark.parametrize(
    "name",
    ["", "cake.jpg", "../.env", f"../{'0' * 32}.jpg", f"{'0' * 32}.gif", f"{'0' * 32}.jpg\n"],
)
async def test_name_that_is_not_ours_is_refused(photos: PhotoSettings, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a stored photo"):
        await make_thumbnail(photos, name)
