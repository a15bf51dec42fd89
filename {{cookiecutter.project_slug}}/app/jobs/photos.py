"""Photos: checked, cleaned and stored under names of ours; and the job that follows."""

import asyncio
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from threading import Semaphore
from time import time
from typing import Any

from PIL import Image, ImageOps
from pydantic import BaseModel

from app.core.errors import UnsuitableImageError
from app.core.photos import PhotoSettings
from app.kit.errors import TooLargeError, UnavailableError
from app.kit.jobs.calls import run_in_loop
from app.kit.jobs.context import Kind, Run
from app.kit.mail import send_mail

FORMATS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
# Many phones write MPO: a JPEG with further pictures behind the first.
SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp"}
# What of a file's description changes how it looks.
VISIBLE = ("icc_profile", "transparency")
NAME = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp)")
# What WebP can hold.
LONGEST_SIDE = 16_383
# One at a time, because 25 million pixels take up to 0.5 GB while WebP is decoded and encoded.
DECODER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photos")
# Each takes up to 2 s; more clients would wait in vain, and other requests for their threads.
MOST_PHOTOS = 8
# Nobody writes one for as long as that.
PART_SECONDS = 3_600
_places = Semaphore(MOST_PHOTOS)


async def store_image(content: bytes, settings: PhotoSettings) -> str:
    """Store a JPEG, PNG or WebP; return its name.

    Only what can be seen is stored, upright, with its colour profile. What else the file holds may
    be personal, such as the place and the camera, or another file that hides behind the image.
    Raise ``TooLargeError``, ``UnsuitableImageError`` or ``UnavailableError``.
    """
    if len(content) > settings.photo_max_bytes:
        raise TooLargeError(f"the photo is larger than {settings.photo_max_bytes} bytes")
    if not _places.acquire(blocking=False):
        raise UnavailableError("too many photos wait to be stored")
    try:
        return await asyncio.get_running_loop().run_in_executor(DECODER, _store, content, settings)
    finally:
        _places.release()


class PhotoParameters(BaseModel):
    """A stored photo."""

    recipe_id: int
    photo: str


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def finish_photo(run: Run, parameters: PhotoParameters) -> dict[str, Any]:
    """Make the thumbnail, and say in a mail that there is a new photo."""
    thumbnail = await run_in_loop(make_thumbnail, run.settings, parameters.photo)
    if not await run.has_recorded("mail"):
        text = f"Recipe {parameters.recipe_id} has a new photo: {parameters.photo}"
        send = partial(send_mail, run.settings, subject="A new photo", text=text)
        await run_in_loop(send)
        await run.record("mail")  # whoever dies before this line sends it twice
    return {"photo": parameters.photo, "thumbnail": thumbnail}


# {% endfilter %}
PHOTO = Kind("photo", PhotoParameters, finish_photo, timeout_seconds=60)


async def make_thumbnail(settings: PhotoSettings, name: str) -> str:
    """Store a small copy of a stored photo; return its name, which is the same each time."""
    if not NAME.fullmatch(name):
        raise ValueError("this is not the name of a stored photo")
    return await asyncio.get_running_loop().run_in_executor(DECODER, _shrink, settings, name)


def _shrink(settings: PhotoSettings, name: str) -> str:
    path = settings.photo_folder / name
    copy = path.with_stem(f"{path.stem}-thumbnail")
    with Image.open(path, formats=[FORMATS[path.suffix]]) as image:
        size = (settings.photo_thumbnail_pixels, settings.photo_thumbnail_pixels)
        # Pillow has its quicker way, by reducing first, not for 16 bits.
        image.thumbnail(size, reducing_gap=None if image.mode == "I;16" else 2)
        _write(image, copy)
    return copy.name


def _store(content: bytes, settings: PhotoSettings) -> str:
    image, suffix = _decode(content, settings.photo_max_pixels)
    settings.photo_folder.mkdir(parents=True, exist_ok=True)
    path = settings.photo_folder / f"{secrets.token_hex(16)}{suffix}"
    _write(image, path)
    return path.name


def _decode(content: bytes, max_pixels: int) -> tuple[Image.Image, str]:
    """Return what can be seen, and how the names of such files end."""
    try:
        image = Image.open(BytesIO(content), formats=list(FORMATS.values()))
        suffix = SUFFIXES[str(image.format)]
        if image.width * image.height > max_pixels or max(image.size) > LONGEST_SIDE:
            raise Image.DecompressionBombError  # as Pillow does at far more
        ImageOps.exif_transpose(image, in_place=True)  # which reads all pixels
        if image.mode == "P" and image.palette is None:  # Pillow reads that, but cannot write it
            raise ValueError
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnsuitableImageError(
            f"the photo has more than {max_pixels} pixels, or {LONGEST_SIDE} on one side"
        ) from None
    except Exception:  # noqa: BLE001 - about broken files decoders raise nearly everything
        raise UnsuitableImageError("this is not a whole JPEG, PNG or WebP image") from None
    image.info = {key: image.info[key] for key in VISIBLE if key in image.info}
    return image, suffix


def _write(image: Image.Image, path: Path) -> None:
    """Write a file that is there as a whole or not at all."""
    _sweep(path.parent)
    part = path.with_name(f"{secrets.token_hex(16)}.part")
    try:
        with part.open("xb") as file:
            profile = image.info.get("icc_profile")
            # WebP's quicker methods fail where there are many details in many pixels.
            image.save(file, FORMATS[path.suffix], icc_profile=profile, quality=90, method=2)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@cache  # once in a process: there may be many photos
def _sweep(folder: Path) -> None:
    """Delete what processes left there that were killed while they wrote."""
    for part in folder.glob("*.part"):
        with suppress(OSError):  # others sweep, too, and no photo waits for it
            if part.stat().st_mtime < time() - PART_SECONDS:
                part.unlink()
