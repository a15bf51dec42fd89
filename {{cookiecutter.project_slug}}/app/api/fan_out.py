"""The other services, for endpoints."""

from typing import Annotated

from fastapi import Depends, Request

from app.clients.fan_out import FanOut


async def get_fan_out(request: Request) -> FanOut:
    """Return the clients that the lifespan opened."""
    return request.state.fan_out


FanOutDep = Annotated[FanOut, Depends(get_fan_out)]
