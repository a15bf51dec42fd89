"""Partial results: one service that fails must not take the others' answers with it."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from app.clients.upstream import UpstreamError
from app.schemas.fan_out import Part

DataT = TypeVar("DataT")


async def attempt(answer: Awaitable[DataT], deadline: float) -> Part[DataT]:
    """Wait for an answer until ``deadline``, a time of the event loop's clock in seconds."""
    try:
        async with asyncio.timeout_at(deadline):
            return Part(status="ok", data=await answer)
    except TimeoutError:
        return Part(status="timeout", detail="no answer in time")
    except UpstreamError as error:
        return Part(status="error", detail=str(error))
