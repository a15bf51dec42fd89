"""Responses that are sent while a generator still reads rows."""

from collections.abc import AsyncGenerator, Generator
from typing import TypeAlias

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

Chunks: TypeAlias = Generator[str | bytes, None, None] | AsyncGenerator[str | bytes, None]


class GeneratorResponse(StreamingResponse):
    """Streams a generator and closes it at the end, even if the client has disconnected.

    Starlette leaves that to the garbage collector: a sync generator would hold its database
    connection for a long time.
    """

    def __init__(self, chunks: Chunks, media_type: str) -> None:
        super().__init__(chunks, media_type=media_type)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await self._close()

    async def _close(self) -> None:
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()
        else:
            # In its own thread: all others may be waiting for the connection.
            await to_thread.run_sync(self._chunks.close, limiter=CapacityLimiter(1))
