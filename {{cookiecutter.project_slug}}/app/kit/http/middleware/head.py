"""Support HEAD wherever GET is supported, as RFC 9110 requires."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadMiddleware:
    """Answer HEAD as GET; the server leaves the body out. Monitors and load balancers use it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        is_complete = False

        async def send_without_body(message: Message) -> None:
            """End the response after its first part: an event stream has no last part."""
            nonlocal is_complete
            if is_complete:
                return
            if message["type"] == "http.response.body":
                is_complete = True
                message = {**message, "more_body": False}
            await send(message)

        # A copy: the server reads the method in its own scope to know that no body may follow.
        as_get = {**scope, "method": "GET", "sent_method": "HEAD"}
        await self.app(as_get, receive, send_without_body)
