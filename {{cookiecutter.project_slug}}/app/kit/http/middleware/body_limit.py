"""Bounds of request bodies: their size, declared or not, and the time they take."""

import asyncio
import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.problems import problem

# Closing spares the client from sending, and the server from reading, the rest.
CLOSE = {"Connection": "close"}


class BodyLimitMiddleware:
    """Answer 413 instead of reading more than ``max_bytes``, and 408 after ``max_seconds``.

    ``exceptions`` have other limits for paths that end with a match of a regular expression.
    FastAPI's own ``max_body_size`` answers in plain text, past handlers and middleware.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        max_seconds: float,
        exceptions: Mapping[str, int] | None = None,
    ) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        # Routes answer with and without a slash at the end.
        self._exceptions = {
            re.compile(f"(?:{ending})/?$"): limit for ending, limit in (exceptions or {}).items()
        }
        self._too_slow = f"the body took longer than {max_seconds:g} seconds"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        max_bytes = self._limit(scope["path"])
        too_large = f"the body is larger than {max_bytes} bytes"
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > max_bytes:
            refusal = problem(413, too_large, headers=CLOSE)
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
            if received > max_bytes:
                raise HTTPException(413, too_large, CLOSE)
            is_complete = not message.get("more_body", False)
            return message

        await self.app(scope, receive_limited, send)

    def _limit(self, path: str) -> int:
        limits = (limit for ending, limit in self._exceptions.items() if ending.search(path))
        return next(limits, self._max_bytes)
