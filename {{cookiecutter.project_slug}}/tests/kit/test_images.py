"""Images: what is stored of an upload, and where."""

import os
import struct
import threading
import zlib
from io import BytesIO
from pathlib import Path

import anyio
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from app.kit.errors import TooLargeError, UnavailableError, UnprocessableError
from app.kit.images import DECODER, MAX_WAITING, NAME, ImageStore

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images", max_bytes=5_000_000, max_pixels=25_000_000)


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
async def test_image_is_stored_under_a_new_name(
    images: ImageStore, format: str, mode: str, suffix: str
) -> None:
    content = encoded(format, mode)
    name = await images.add(content)
    assert NAME.fullmatch(name)
    assert name.endswith(suffix)
    assert [path.name for path in images.folder.iterdir()] == [name]
    with Image.open(images.folder / name) as stored, Image.open(BytesIO(content)) as sent:
        assert (stored.format, stored.mode, stored.size) == (format, mode, sent.size)
        brightness = [image.convert("RGB").getpixel((9, 16)) for image in (stored, sent)]
    assert brightness[0] == pytest.approx(brightness[1], abs=8)
    assert await images.add(content) != name


@FORMATS
async def test_only_the_visible_part_is_stored(images: ImageStore, format: str) -> None:
    exif = Image.Exif()
    exif[271] = "secret camera"
    exif.get_ifd(0x8825)[29] = "secret place"
    text = PngInfo()
    text.add_text("Comment", "secret note")
    # Each format takes what it knows.
    notes = {"comment": "secret note", "pnginfo": text, "xmp": b"secret note"}
    content = encoded(format, "RGB", (64, 32), exif=exif, icc_profile=PROFILE, **notes)
    name = await images.add(content + b"secret archive")
    stored = (images.folder / name).read_bytes()
    assert content.count(b"secret") >= 3
    assert b"secret" not in stored
    with Image.open(BytesIO(stored)) as image:
        assert image.info["icc_profile"] == PROFILE
        assert not image.getexif()


@FORMATS
async def test_image_is_stored_upright(images: ImageStore, format: str) -> None:
    exif = Image.Exif()
    exif[274] = 6  # the camera was held upright
    name = await images.add(encoded(format, exif=exif))
    with Image.open(images.folder / name) as image:
        assert image.size == (32, 64)


async def test_first_picture_of_several_is_a_jpeg(images: ImageStore) -> None:
    others = [Image.new("RGB", (9, 9))]
    name = await images.add(encoded("MPO", save_all=True, append_images=others))
    with Image.open(images.folder / name) as image:
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
async def test_incomplete_image_is_refused(images: ImageStore, content: bytes) -> None:
    with pytest.raises(UnprocessableError, match="not a complete JPEG, PNG or WebP image"):
        await images.add(content)
    assert not images.folder.exists()


@pytest.mark.parametrize(
    ("width", "height"),
    [(5_000, 5_001), (10_000, 10_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (16_384, 1)],
)
async def test_too_many_pixels_are_refused_unread(
    images: ImageStore, width: int, height: int
) -> None:
    with pytest.raises(UnprocessableError, match="at most 25000000 pixels"):
        await images.add(enlarged(width, height))


async def test_large_file_is_refused_unread(images: ImageStore) -> None:
    with pytest.raises(TooLargeError, match="at most 5000000 bytes"):
        await images.add(b" " * 5_000_001)


@pytest.mark.slow
async def test_large_image_full_of_details_is_stored(images: ImageStore) -> None:
    file = BytesIO()
    noise = Image.effect_noise((1_250, 1_250), 20).resize((5_000, 5_000))
    noise.save(file, "WEBP", quality=75, method=1)
    assert await images.add(file.getvalue())


async def test_failed_write_leaves_no_file(
    images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        assert threading.current_thread() is not threading.main_thread()
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        await images.add(encoded("JPEG"))
    assert list(images.folder.iterdir()) == []


async def test_parts_of_killed_processes_are_deleted(images: ImageStore) -> None:
    images.folder.mkdir()
    names = ("left.part", "folder.part", "written.part")
    left, folder, written = (images.folder / name for name in names)
    left.touch()
    folder.mkdir()
    written.touch()
    for path in (left, folder):
        os.utime(path, (0, 0))
    name = await images.add(encoded("JPEG"))
    there = {path.name for path in images.folder.iterdir()}
    assert there == {name, folder.name, written.name}


@FORMATS
async def test_thumbnail_is_small_and_the_same_each_time(images: ImageStore, format: str) -> None:
    name = await images.add(encoded(format, "RGB", (640, 480), icc_profile=PROFILE))
    thumbnail = await images.add_thumbnail(name, 320)
    assert await images.add_thumbnail(name, 320) == thumbnail
    assert {path.name for path in images.folder.iterdir()} == {name, thumbnail}
    with Image.open(images.folder / thumbnail) as image:
        assert (image.format, image.size) == (format, (320, 240))
        assert image.info["icc_profile"] == PROFILE


async def test_scan_of_16_bits_gets_a_thumbnail(images: ImageStore) -> None:
    name = await images.add(encoded("PNG", "I;16", (1_280, 1_280)))
    with Image.open(images.folder / await images.add_thumbnail(name, 320)) as image:
        assert (image.mode, image.size) == ("I;16", (320, 320))


async def test_waiting_images_are_bounded(images: ImageStore) -> None:
    name = await images.add(encoded("JPEG"))
    is_free = threading.Event()
    DECODER.submit(is_free.wait)
    async with anyio.create_task_group() as group:
        try:
            group.start_soon(images.add_thumbnail, name, 320)
            for _ in range(MAX_WAITING):
                group.start_soon(images.add, encoded("JPEG"))
            await anyio.sleep(0.1)
            with pytest.raises(UnavailableError), anyio.fail_after(1):
                await images.add(encoded("JPEG"))
            assert len(list(images.folder.iterdir())) == 1
        finally:
            is_free.set()
    assert len(list(images.folder.iterdir())) == 2 + MAX_WAITING
    await images.add(encoded("JPEG"))


@pytest.mark.parametrize(
    "name",
    ["", "cake.jpg", "../.env", f"../{'0' * 32}.jpg", f"{'0' * 32}.gif", f"{'0' * 32}.jpg\n"],
)
async def test_unknown_name_is_refused(images: ImageStore, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a stored image"):
        await images.add_thumbnail(name, 320)
