"""Bounds of request bodies: their size, declared or not, and the time they take."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import problem

# Closing spares the client from sending, and the server from reading, the rest.
CLOSE = {"Connection": "close"}


class BodyLimitMiddleware:
    """Answer 413 instead of reading more than ``max_bytes``, and 408 after ``max_seconds``.

    FastAPI's own ``max_body_size`` answers in plain text, past handlers and middleware.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_seconds: float) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._too_large = f"the body is larger than {max_bytes} bytes"
        self._too_slow = f"the body took longer than {max_seconds:g} seconds"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            refusal = problem(413, self._too_large, headers=CLOSE)
            await refusal(scope, receive, send)
            return
        received = 0
        is_complete = False
        deadline: float | None = None

        async def receive_limited() -> Message:
            nonlocal received, is_complete, deadline
            if is_complete:  # what follows is that the client leaves, whenever that is
                return await receive()
            deadline = deadline or asyncio.get_running_loop().time() + self._max_seconds
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, self._too_slow, CLOSE) from None
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, self._too_large, CLOSE)
            is_complete = not message.get("more_body", False)
            return message

        await self.app(scope, receive_limited, send)
