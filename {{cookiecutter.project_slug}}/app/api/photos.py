"""Uploaded photos, for endpoints."""

from typing import Annotated

from fastapi import Depends, Request, UploadFile

from app.core.photos import PhotoSettings


async def get_content(photo: UploadFile) -> bytes:
    """Return what was uploaded; the limit to bodies bounds it."""
    return await photo.read()


async def get_photo_settings(request: Request) -> PhotoSettings:
    """Return where photos are stored and what may be."""
    return request.state.photos


ContentDep = Annotated[bytes, Depends(get_content)]
PhotoSettingsDep = Annotated[PhotoSettings, Depends(get_photo_settings)]
