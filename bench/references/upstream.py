"""A source of ideas that takes 100 ms for each answer."""

import asyncio
import json
from typing import Any

POSTS = [{"data": {"score": 100, "title": "A dish", "url": "https://example.com"}}] * 5
BODY = json.dumps({"data": {"children": POSTS}}).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """Wait, then answer."""
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.1)
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
