"""Photos of recipes."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response, UploadFile

from app.api.deps import DatabaseDep, IdPath
from app.api.jobs import ACCEPTED, EnqueueDep, accepted
# {% if cookiecutter.auth %}
from app.api.own_recipes import OwnRecipesDep
# {% endif %}
from app.core.photos import PhotoSettings
# {% if not cookiecutter.auth %}
from app.crud.crud_recipe import recipe
# {% endif %}
from app.jobs.photos import PHOTO, PhotoParameters, store_image
from app.kit.errors import ConflictError
from app.kit.http.middleware.body_limit import BodyLimit
from app.kit.http.openapi import failures
from app.kit.jobs.calls import run_in_loop
from app.schemas.job import JobAccepted

# {% if cookiecutter.auth %}
router = APIRouter(prefix="/recipes", tags=["recipes"], responses=failures(403))
# {% else %}
router = APIRouter(prefix="/recipes", tags=["recipes"])
# {% endif %}


async def get_content(photo: UploadFile) -> bytes:
    """Return what was uploaded; the limit to bodies bounds it."""
    return await photo.read()


async def get_photo_settings(request: Request) -> PhotoSettings:
    """Return where photos are stored and what may be."""
    return request.state.photos


def max_form_bytes(state: Mapping[str, Any]) -> int:
    """Return how large a form with a photo may be."""
    return state["photos"].photo_max_body_bytes


ContentDep = Annotated[bytes, Depends(get_content)]
PhotoSettingsDep = Annotated[PhotoSettings, Depends(get_photo_settings)]


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
@router.post(
    "/{id}/photo",
    status_code=202,
    responses=ACCEPTED | failures(409),
    dependencies=[Depends(BodyLimit(max_bytes=max_form_bytes))],
)
async def upload_photo(
    db: DatabaseDep,
    # {% if cookiecutter.auth %}
    own: OwnRecipesDep,
    # {% endif %}
    id: IdPath,
    content: ContentDep,
    photos: PhotoSettingsDep,
    enqueue: EnqueueDep,
    request: Request,
    response: Response,
) -> JobAccepted:
    """Store a JPEG, PNG or WebP; its thumbnail and a mail follow."""
    async with db.read() as connection:
        # {% if cookiecutter.auth %}
        await own.get(connection, id)
        # {% else %}
        await recipe.get(connection, id)
        # {% endif %}
    name = await run_in_loop(store_image, content, photos)
    is_stray = False
    try:
        async with db.transaction() as connection:
            row = await enqueue(
                connection,
                PHOTO,
                PhotoParameters(recipe_id=id, photo=name),
                same=f"{id} {sha256(content).hexdigest()}",
            )
        is_stray = row.parameters["photo"] != name  # the same request came before
    except ConflictError:
        is_stray = True
        raise
    finally:  # but not when nobody knows whether the job was committed
        if is_stray:
            await run_in_loop(to_thread.run_sync, (photos.photo_folder / name).unlink)
    return accepted(request, response, row)


# {%- endfilter +%}
