"""HEAD wherever there is GET, as RFC 9110 wants it."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadMiddleware:
    """Answer HEAD as GET; the server leaves the body out. Monitors and load balancers use it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # A copy: the server looks into its own to know that no body may follow.
            scope = {**scope, "method": "GET", "sent_method": "HEAD"}
        await self.app(scope, receive, send)
