"""Store images that clients upload: decoded, re-encoded without metadata, under new names.

Pillow does the work; this module limits its memory and removes what files hide.
"""

import asyncio
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Semaphore
from time import time

from PIL import Image, ImageOps

from app.kit.errors import TooLargeError, UnavailableError, UnprocessableError

FORMATS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
# Many phones write MPO: a JPEG with further pictures behind the first.
SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp"}
# The metadata that changes how an image looks.
VISIBLE_METADATA = ("icc_profile", "transparency")
NAME = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp)")
MAX_SIDE = 16_383  # of WebP
# One at a time, because 25 million pixels take up to 0.5 GB while WebP is decoded and encoded.
DECODER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="images")
# Each takes up to 2 s: more clients would time out, and block the threads of other requests.
MAX_WAITING = 8
STALE_PART_SECONDS = 3_600
_waiting = Semaphore(MAX_WAITING)


@dataclass(frozen=True)
class ImageStore:
    """A folder of images; ``max_pixels`` bounds the memory that one takes."""

    folder: Path
    max_bytes: int
    max_pixels: int

    async def add(self, content: bytes) -> str:
        """Store a JPEG, PNG or WebP; return its new name.

        Store only the visible image: upright, with its colour profile. Other content may be
        personal, such as location and camera, or a second file behind the image. Raise
        ``TooLargeError``, ``UnprocessableError`` or ``UnavailableError``.
        """
        if len(content) > self.max_bytes:
            raise TooLargeError(f"image too large: at most {self.max_bytes} bytes")
        if not _waiting.acquire(blocking=False):
            raise UnavailableError("too many uploads; try again later")
        try:
            return await asyncio.get_running_loop().run_in_executor(DECODER, self._add, content)
        finally:
            _waiting.release()

    async def add_thumbnail(self, name: str, max_side: int) -> str:
        """Store a small copy of a stored image; return its name, the same each time."""
        if not NAME.fullmatch(name):
            raise ValueError("not the name of a stored image")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(DECODER, self._add_thumbnail, name, max_side)

    def remove(self, name: str) -> None:
        """Delete a stored image."""
        (self.folder / name).unlink()

    def _add(self, content: bytes) -> str:
        image, suffix = _decode(content, self.max_pixels)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{secrets.token_hex(16)}{suffix}"
        _write(image, path)
        return path.name

    def _add_thumbnail(self, name: str, max_side: int) -> str:
        path = self.folder / name
        copy = path.with_stem(f"{path.stem}-thumbnail")
        with Image.open(path, formats=[FORMATS[path.suffix]]) as image:
            # Pillow's faster method, which reduces first, does not support 16 bits.
            gap = None if image.mode == "I;16" else 2
            image.thumbnail((max_side, max_side), reducing_gap=gap)
            _write(image, copy)
        return copy.name


def _decode(content: bytes, max_pixels: int) -> tuple[Image.Image, str]:
    """Return the visible part of an image, and the suffix of its format."""
    try:
        image = Image.open(BytesIO(content), formats=list(FORMATS.values()))
        suffix = SUFFIXES[str(image.format)]
        if image.width * image.height > max_pixels or max(image.size) > MAX_SIDE:
            raise Image.DecompressionBombError  # Pillow raises it at far more pixels
        ImageOps.exif_transpose(image, in_place=True)  # which reads all pixels
        if image.mode == "P" and image.palette is None:  # Pillow reads that, but cannot write it
            raise ValueError
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnprocessableError(
            f"image too large: at most {max_pixels} pixels, {MAX_SIDE} on each side"
        ) from None
    except Exception:  # noqa: BLE001 - decoders raise nearly any error for broken files
        raise UnprocessableError("not a complete JPEG, PNG or WebP image") from None
    image.info = {key: image.info[key] for key in VISIBLE_METADATA if key in image.info}
    return image, suffix


def _write(image: Image.Image, path: Path) -> None:
    """Write a file completely or not at all."""
    _remove_stale_parts(path.parent)
    part = path.with_name(f"{secrets.token_hex(16)}.part")
    try:
        with part.open("xb") as file:
            profile = image.info.get("icc_profile")
            # WebP's faster methods fail for large images with many details.
            image.save(file, FORMATS[path.suffix], icc_profile=profile, quality=90, method=2)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@cache  # once in a process: there may be many images
def _remove_stale_parts(folder: Path) -> None:
    """Delete the parts of processes that were killed while they wrote."""
    for part in folder.glob("*.part"):
        with suppress(OSError):  # other processes delete them, too
            if part.stat().st_mtime < time() - STALE_PART_SECONDS:
                part.unlink()
