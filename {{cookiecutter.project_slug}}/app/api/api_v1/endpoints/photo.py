"""Photos of recipes."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response, UploadFile

from app.api.deps import DatabaseDep, IdPath
from app.api.job_deps import ACCEPTED, EnqueueDep, accepted
from app.api.permissions import RESTRICTED, OwnRecipesDep
from app.jobs.photos import PHOTO, PhotoParameters
from app.kit.errors import ConflictError
from app.kit.http.middleware.body_limit import BodyLimit
from app.kit.http.openapi import failures
from app.kit.http.state import lifespan_state
from app.kit.images import ImageStore
from app.kit.jobs.calls import await_from_job
from app.schemas.job import JobAccepted

# What a multipart form adds to the file: boundaries, headers, the client's file name.
FORM_BYTES = 10_000

router = APIRouter(prefix="/recipes", tags=["recipes"], responses=RESTRICTED)


async def get_content(photo: UploadFile) -> bytes:
    """Return the uploaded bytes; the body limit bounds their number."""
    return await photo.read()


async def get_photo_store(request: Request) -> ImageStore:
    """Return the store that the lifespan opened."""
    return lifespan_state(request.scope)["photos"]


def max_form_bytes(state: Mapping[str, Any]) -> int:
    """Return the maximum size of a form with a photo."""
    return state["photos"].max_bytes + FORM_BYTES


ContentDep = Annotated[bytes, Depends(get_content)]
PhotoStoreDep = Annotated[ImageStore, Depends(get_photo_store)]


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
@router.post(
    "/{id}/photo",
    status_code=202,
    responses=ACCEPTED | failures(409),
    dependencies=[Depends(BodyLimit(max_bytes=max_form_bytes))],
)
async def upload_photo(
    db: DatabaseDep,
    own: OwnRecipesDep,
    id: IdPath,
    content: ContentDep,
    photos: PhotoStoreDep,
    enqueue: EnqueueDep,
    request: Request,
    response: Response,
) -> JobAccepted:
    """Store a JPEG, PNG or WebP image; a job adds the thumbnail and sends a mail."""
    async with db.read() as connection:
        await own.get(connection, id)
    name = await await_from_job(photos.add, content)
    is_unused = False
    try:
        async with db.transaction() as connection:
            row = await enqueue(
                connection,
                PHOTO,
                PhotoParameters(recipe_id=id, photo=name),
                fingerprint=f"{id} {sha256(content).hexdigest()}",
            )
        is_unused = row.parameters["photo"] != name  # the job of an earlier, equal request
    except ConflictError:
        is_unused = True
        raise
    finally:  # not after other errors: the job may have been committed
        if is_unused:
            await await_from_job(to_thread.run_sync, photos.remove, name)
    return accepted(request, response, row)


# {%- endfilter +%}
