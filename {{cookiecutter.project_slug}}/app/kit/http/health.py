"""For load balancers and orchestrators."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.api.deps import DatabaseDep
from app.db.session import Database
from app.kit.db.engine import call_from_async
from app.kit.errors import UnavailableError
from app.kit.http.problems import Problem

PATIENCE_SECONDS = 2

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """The good answer; the bad one is a problem."""

    status: Literal["ok"] = "ok"


@router.get("/live")
async def live() -> Health:
    """Tell that the process answers; if it does not, restart it."""
    return Health()


@router.get("/ready", responses={503: {"model": Problem}})
async def ready(request: Request, db: DatabaseDep) -> Health:
    """Tell whether to send requests here: the database answers, and no shutdown is under way."""
    state = request.app.state
    if state.is_draining:
        raise UnavailableError("the service is shutting down")
    # One at a time, or many that ask would take the connections of other requests.
    if state.readiness is None or state.readiness.done():
        state.readiness = asyncio.create_task(check(db))
    await asyncio.shield(state.readiness)
    return Health()


async def check(db: Database) -> None:
    """Raise ``UnavailableError`` unless the database answers in time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await call_from_async(db.ping)
    except TimeoutError:
        raise UnavailableError("the database does not answer in time") from None
