"""A true answer to requests that outlast the service."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.problems import problem


class CutOffMiddleware:
    """Answer 503 when the server ends what still runs at the end of its grace; it would say 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def send_noting_begin(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noting_begin)
        except asyncio.CancelledError:
            if has_begun or not scope["app"].state.is_draining:
                raise
            refusal = problem(503, "the service is shutting down", headers={"Connection": "close"})
            await refusal(scope, receive, send)
