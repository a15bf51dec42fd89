"""A limit to the size of request bodies, declared or not."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import problem


class BodyLimitMiddleware:
    """Answer 413 instead of reading more than ``max_bytes``.

    FastAPI's own ``max_body_size`` answers in plain text, past handlers and middleware.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._detail = f"the body is larger than {max_bytes} bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            # Closing spares the client from sending, and the server from reading, the rest.
            refusal = problem(413, self._detail, headers={"Connection": "close"})
            await refusal(scope, receive, send)
            return
        received = 0

        async def receive_counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, self._detail, headers={"Connection": "close"})
            return message

        await self.app(scope, receive_counting, send)
