"""The other services, for endpoints."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from app.clients.fan_out import FanOut


async def get_fan_out(request: Request) -> FanOut:
    """Return the clients that the lifespan opened."""
    return request.state.fan_out


FanOutDep = Annotated[FanOut, Depends(get_fan_out)]


async def get_deadline(services: FanOutDep) -> float:
    """Return when all services together must have answered, by the event loop's clock in seconds."""
    return asyncio.get_running_loop().time() + services.deadline_seconds


DeadlineDep = Annotated[float, Depends(get_deadline)]
