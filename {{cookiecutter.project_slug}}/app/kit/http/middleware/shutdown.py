"""End running requests properly when the service stops."""

import asyncio
import logging

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.http.problems import problem

logger = logging.getLogger(__name__)
LAST = {"type": "http.response.body", "body": b"", "more_body": False}


class ShutdownMiddleware:
    """Complete event streams when the drain ends; answer 503 to requests after the grace period.

    The server cancels both. Without this middleware, it would answer 500 or cut the stream.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            warn_about_other_servers(scope)
            await self.app(scope, receive, send)
            return
        shutdown = scope["app"].state.shutdown
        task = asyncio.current_task()  # the task that the server may cancel; streams have others
        begun_with: Message | None = None

        async def send_noting_begin(message: Message) -> None:
            nonlocal begun_with
            if begun_with is None:
                begun_with = message
                if task and is_event_stream(message):
                    shutdown.add_stream(task)
            await send(message)

        try:
            await self.app(scope, receive, send_noting_begin)
        except asyncio.CancelledError:
            if not shutdown.is_draining:
                raise
            if begun_with is None:
                detail = "the service is shutting down"
                await problem(503, detail, headers={"Connection": "close"})(scope, receive, send)
            elif is_event_stream(begun_with):
                await send(LAST)
            elif scope["type"] == "http":  # the server closes a WebSocket itself
                raise


def is_event_stream(message: Message) -> bool:
    """Return whether this message starts an event stream, which has no end of its own."""
    if message["type"] != "http.response.start":
        return False
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")


def warn_about_other_servers(scope: Scope) -> None:
    """Log what is missing if another server runs this service, such as plain ``uvicorn``.

    The test client is no server: its scope lacks ``asgi``, which ASGI requires of servers.
    """
    if "asgi" in scope and not scope["app"].state.shutdown.is_served_by_kit:
        logger.warning(
            "not started by app.serve: slow clients are not disconnected, SIGTERM does not drain, "
            "and HOST, PORT, KEEP_ALIVE_SECONDS, FORWARDED_ALLOW_IPS and LOG_LEVEL have no effect; "
            "start it with ./run.sh"
        )
