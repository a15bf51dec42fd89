"""The service's server in the process of the tests."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from app.kit.server.server import Server, ServerOptions, server_config
from app.kit.server.sockets import bind_sockets


@dataclass
class Running:
    """A server that can be asked to stop."""

    server: Server
    port: int
    task: asyncio.Task[None]

    @property
    def http(self) -> str:
        """Return the address for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """Return the address for WebSockets."""
        return f"ws://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Do what SIGTERM does."""
        self.server.should_exit = True


def server_of(app: FastAPI) -> Server:
    """Make the server as ``app.serve`` does."""
    options = ServerOptions(
        root_path="",
        forwarded_allow_ips=[],
        ws_max_size=1000,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=15,
    )
    app.state.shutdown.is_served_by_kit = True
    return Server(server_config(app, options), app, drain_seconds=0)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncGenerator[Running]:
    """Serve on a free port."""
    sockets = bind_sockets("127.0.0.1", 0)
    server = server_of(app)
    port = sockets[0].getsockname()[1]
    running = Running(server, port, asyncio.create_task(server._serve(sockets)))
    while not server.started:
        await asyncio.sleep(0.001)
    yield running
    running.stop()
    await running.task
