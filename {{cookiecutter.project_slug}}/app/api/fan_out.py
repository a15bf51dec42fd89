"""The other services, for endpoints."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from app.clients.fan_out import FanOut


async def get_fan_out(request: Request) -> FanOut:
    """Return the clients that the lifespan opened."""
    return request.state.fan_out


async def get_deadline(request: Request) -> float:
    """Return when all services together must have answered, by the event loop's clock in seconds."""
    services: FanOut = request.state.fan_out
    return asyncio.get_running_loop().time() + services.deadline_seconds


FanOutDep = Annotated[FanOut, Depends(get_fan_out)]
DeadlineDep = Annotated[float, Depends(get_deadline)]
