"""HEAD wherever there is GET, as RFC 9110 wants it."""

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
            """End the answer with its first part: a stream of events has no last one."""
            nonlocal is_complete
            if is_complete:
                return
            if message["type"] == "http.response.body":
                is_complete = True
                message = {**message, "more_body": False}
            await send(message)

        # A copy: the server looks into its own to know that no body may follow.
        as_get = {**scope, "method": "GET", "sent_method": "HEAD"}
        await self.app(as_get, receive, send_without_body)
