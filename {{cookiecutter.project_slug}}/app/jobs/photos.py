"""Photos of recipes: their store, and the job that follows an upload."""

from functools import partial
from typing import Any

from pydantic import BaseModel

from app.core.config import Settings
from app.core.photos import PhotoSettings
from app.kit.images import ImageStore
from app.kit.jobs.calls import await_from_job
from app.kit.jobs.context import JobContext
from app.kit.jobs.kinds import JobKind
from app.kit.mail import send_mail


class PhotoParameters(BaseModel):
    """A stored photo."""

    recipe_id: int
    photo: str


def photo_store(settings: PhotoSettings) -> ImageStore:
    """Return the store of photos."""
    return ImageStore(settings.photo_folder, settings.photo_max_bytes, settings.photo_max_pixels)


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
async def finish_photo(job: JobContext[Settings], parameters: PhotoParameters) -> dict[str, Any]:
    """Make the thumbnail, then send a mail about the new photo."""
    add_thumbnail = photo_store(job.settings).add_thumbnail
    pixels = job.settings.photo_thumbnail_pixels
    thumbnail = await await_from_job(add_thumbnail, parameters.photo, pixels)
    if not await job.is_done("mail"):
        text = f"Recipe {parameters.recipe_id} has a new photo: {parameters.photo}"
        send = partial(send_mail, job.settings, subject="A new photo", text=text)
        await await_from_job(send)
        await job.mark_done("mail")  # if the process dies before this, the mail is sent twice
    return {"photo": parameters.photo, "thumbnail": thumbnail}


# {% endfilter %}
PHOTO = JobKind("photo", PhotoParameters, finish_photo, timeout_seconds=60)
