"""A collector that accepts everything and keeps nothing, and one that never answers."""

import asyncio
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read the request, then answer."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})


async def hanging(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer only the question whether it runs."""
    if scope["type"] == "http" and scope["method"] == "POST":
        await asyncio.Event().wait()
    await app(scope, receive, send)
