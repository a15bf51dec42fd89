"""Settings of photos."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PositiveInt

from app.kit.settings import BaseAppSettings


def check_folder(value: Path) -> Path:
    """Return the folder; raise ``ValueError`` if it begins with ``~``, which only shells expand."""
    if str(value).startswith("~"):
        raise ValueError("must be a path without ~, which only shells expand")
    return value


class PhotoSettings(BaseAppSettings):
    """Where photos are stored and how large they may be."""

    photo_folder: Annotated[Path, AfterValidator(check_folder)] = Path("photos")
    photo_max_bytes: PositiveInt = 5_000_000
    # Pillow itself refuses images above this bound.
    photo_max_pixels: Annotated[int, Field(gt=0, le=89_000_000)] = 25_000_000
    photo_thumbnail_pixels: PositiveInt = 320
