"""Dependencies of endpoints."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from app.kit.db.database import Database
from app.kit.http.state import lifespan_state
from app.kit.schemas import MAX_ID, PageQuery, Spelling


# A coroutine function, because FastAPI runs other dependencies in a thread (80 µs).
async def get_database(request: Request) -> Database:
    """Return the database that the lifespan opened."""
    return lifespan_state(request.scope)["database"]


DatabaseDep = Annotated[Database, Depends(get_database)]
PageDep = Annotated[PageQuery, Query()]
IdPath = Annotated[int, Path(ge=1, le=MAX_ID), Spelling]
