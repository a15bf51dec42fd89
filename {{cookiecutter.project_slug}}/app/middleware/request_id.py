"""An id for each request."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.request_id import HEADER, choose_request_id, request_id


class RequestIdMiddleware:
    """Take over a valid ``X-Request-ID`` or make one; repeat it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        current = choose_request_id(Headers(scope=scope).get(HEADER, ""))
        # Never reset: the server gives each request a context of its own, and logs after this.
        request_id.set(current)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = current
            await send(message)

        await self.app(scope, receive, send_with_id)
