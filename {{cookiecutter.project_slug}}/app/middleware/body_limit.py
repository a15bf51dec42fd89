"""A limit to the size of request bodies, declared or not."""

import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import problem


class BodyLimitMiddleware:
    """Answer 413 instead of reading more than ``max_bytes``.

    ``exceptions`` have other limits for paths that end with a match of a regular expression.
    FastAPI's own ``max_body_size`` answers in plain text, past handlers and middleware.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, exceptions: Mapping[str, int] | None = None
    ) -> None:
        self.app = app
        self._max_bytes = max_bytes
        # Routes answer with and without a slash at the end.
        self._exceptions = {
            re.compile(f"(?:{ending})/?$"): limit for ending, limit in (exceptions or {}).items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        max_bytes = self._limit(scope["path"])
        detail = f"the body is larger than {max_bytes} bytes"
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > max_bytes:
            # Closing spares the client from sending, and the server from reading, the rest.
            refusal = problem(413, detail, headers={"Connection": "close"})
            await refusal(scope, receive, send)
            return
        received = 0

        async def receive_counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise HTTPException(413, detail, headers={"Connection": "close"})
            return message

        await self.app(scope, receive_counting, send)

    def _limit(self, path: str) -> int:
        limits = (limit for ending, limit in self._exceptions.items() if ending.search(path))
        return next(limits, self._max_bytes)
