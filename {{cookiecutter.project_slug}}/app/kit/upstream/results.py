"""The result of a call to another service: data, or the reason of the failure."""

import asyncio
from collections.abc import Awaitable
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

DataT = TypeVar("DataT")

Status = Literal["ok", "error", "timeout"]


class UpstreamError(Exception):
    """The other service failed; the text may be shown to clients."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class Part(BaseModel, Generic[DataT]):
    """The data of one service, or the reason of its failure."""

    status: Status
    data: DataT | None = None
    detail: str | None = None


async def attempt(answer: Awaitable[DataT], deadline: float) -> Part[DataT]:
    """Wait for an answer until ``deadline``, a time of the event loop's clock in seconds.

    A failure becomes a part of the result, so that other services' answers are not lost with it.
    """
    try:
        async with asyncio.timeout_at(deadline):
            return Part(status="ok", data=await answer)
    except TimeoutError:
        return Part(status="timeout", detail="no response in time")
    except UpstreamError as error:
        return Part(status="error", detail=str(error))
