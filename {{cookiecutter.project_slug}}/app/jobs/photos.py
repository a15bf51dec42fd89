"""What happens to a photo after it was stored."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from functools import partial
from typing import Any

from pydantic import BaseModel

from app.jobs.flavours import run_in_loop
from app.jobs.images import make_thumbnail
from app.jobs.mail import send_mail
from app.jobs.run import Kind, Run


class PhotoParameters(BaseModel):
    """A stored photo."""

    recipe_id: int
    photo: str


async def finish_photo(run: Run, parameters: PhotoParameters) -> dict[str, Any]:
    """Make the thumbnail, and say in a mail that there is a new photo."""
    photos = run.settings.photos
    thumbnail = await run_in_loop(make_thumbnail, photos, parameters.photo)
    if not await run.has_recorded("mail"):
        text = f"Recipe {parameters.recipe_id} has a new photo: {parameters.photo}"
        send = partial(send_mail, run.settings.mail, subject="A new photo", text=text)
        await run_in_loop(send)
        await run.record("mail")  # whoever dies before this line sends it twice
    return {"photo": parameters.photo, "thumbnail": thumbnail}


# {% endfilter %}
PHOTO = Kind("photo", PhotoParameters, finish_photo, timeout_seconds=60)
