"""Probes for load balancers and orchestrators."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.kit.db.engine import call_from_async
from app.kit.errors import UnavailableError
from app.kit.http.problems import Problem
from app.kit.http.state import lifespan_state

TIMEOUT_SECONDS = 2

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """The response of a healthy service."""

    status: Literal["ok"] = "ok"


@router.get("/live")
async def live() -> Health:
    """Liveness probe: succeeds if the process answers. If it fails, restart the process."""
    return Health()


@router.get("/ready", responses={503: {"model": Problem}})
async def ready(request: Request) -> Health:
    """Readiness probe: succeeds if the database answers and no shutdown has begun."""
    state = request.app.state
    if state.shutdown.is_draining:
        raise UnavailableError("the service is shutting down")
    # One check at a time: many probes would take the connections of other requests.
    if state.readiness is None or state.readiness.done():
        database = lifespan_state(request.scope)["database"]
        state.readiness = asyncio.create_task(check(database.ping))
    await asyncio.shield(state.readiness)
    return Health()


async def check(ping: Callable[[], Any]) -> None:
    """Raise ``UnavailableError`` unless the database answers in time."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await call_from_async(ping)
    except TimeoutError:
        raise UnavailableError("the database does not answer in time") from None
