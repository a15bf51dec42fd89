"""Another service, played by a function: it sees each request and returns raw HTTP."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import TypeAlias

from fastapi.testclient import TestClient


@dataclass(frozen=True)
class Asked:
    """A request, and the connection that it came by."""

    target: str
    headers: Mapping[str, str]
    connection: asyncio.StreamWriter

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.target.partition("?")[0]


Answer: TypeAlias = Callable[[Asked], Coroutine[None, None, bytes]]
Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]


def reply(body: bytes = b"", /, *, status: int = 200, **headers: str) -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status} Some reason", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_reply(content: object, cookie: str = "none=1") -> bytes:
    """Return a whole answer in JSON, which sets a cookie."""
    return reply(json.dumps(content).encode(), Content_Type="application/json", Set_Cookie=cookie)


@asynccontextmanager
async def playing(answer: Answer, tls: SSLContext | None = None) -> AsyncGenerator[int]:
    """Serve on a free port of this machine, and yield the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await answer(parse(head.decode("latin-1"), writer)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # in which the transports close


def parse(head: str, connection: asyncio.StreamWriter) -> Asked:
    """Read the head of a request."""
    first, *lines = head.strip().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    return Asked(first.split(" ")[1], headers, connection)
