"""L1, the limit: ASGI without a framework, asyncpg, orjson."""

import os
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import orjson
from sql import CREATE, GET, LIST

PREFIX = "/api/v1/recipes/"
pool: asyncpg.Pool


async def no_reset(_: object) -> None:
    """Skip what asyncpg does when a connection comes back: no session state is changed here."""


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer the four requests of the suite."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    path, status = scope["path"], 200
    if path == "/health/live":
        answer: Any = {"status": "ok"}
    elif path != PREFIX:
        answer = dict(await pool.fetchrow(GET, int(path.removeprefix(PREFIX))))
    elif scope["method"] == "POST":
        status, answer = 201, await create(await body(receive))
    else:
        limit = int(dict(parse_qsl(scope["query_string"].decode()))["limit"])
        answer = [dict(row) for row in await pool.fetch(LIST, limit)]
    content = orjson.dumps(answer)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def create(content: bytes) -> dict[str, Any]:
    """Store a recipe."""
    new = orjson.loads(content)
    values = (new["label"], new["source"], new["url"], new["submitter_id"])
    return dict(await pool.fetchrow(CREATE, *values))


async def body(receive: Any) -> bytes:
    """Read the request's body."""
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            return content


async def lifespan(receive: Any, send: Any) -> None:
    """Open the pool, and close it at the end."""
    global pool
    await receive()
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=20, max_size=20, reset=no_reset) as pool:
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
