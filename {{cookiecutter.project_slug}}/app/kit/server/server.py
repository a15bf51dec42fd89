"""uvicorn's server with a graceful shutdown that load balancers notice."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TypedDict

import uvicorn
from fastapi import FastAPI
from uvicorn.importer import ImportFromStringError, import_from_string
from uvicorn.supervisors import ChangeReload

from app.kit.http.settings import HttpSettings
from app.kit.server.http_protocol import BoundedHttpProtocol, websocket_protocol
from app.kit.server.settings import ServerSettings
from app.kit.server.sockets import accept_in_parallel

logger = logging.getLogger(__name__)


class ServerOptions(TypedDict):
    """uvicorn's options that come from the settings."""

    root_path: str
    forwarded_allow_ips: list[str]
    ws_max_size: int
    timeout_keep_alive: int
    timeout_graceful_shutdown: int


def server_options(server: ServerSettings, http: HttpSettings) -> ServerOptions:
    """Return the options from the settings."""
    return ServerOptions(
        root_path=server.root_path,
        forwarded_allow_ips=list(server.forwarded_allow_ips),
        ws_max_size=http.max_body_bytes,
        timeout_keep_alive=int(server.keep_alive_seconds),
        timeout_graceful_shutdown=int(server.grace_seconds),
    )


def server_config(
    app: FastAPI | str, options: ServerOptions, reload_folders: list[str] | None = None
) -> uvicorn.Config:
    """Return uvicorn's configuration; its own logs are off: they show paths and queries."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        reload=reload_folders is not None,
        reload_dirs=reload_folders,
        http=BoundedHttpProtocol,
        ws=websocket_protocol,  # ty: ignore[invalid-argument-type] - it is called like a class
        log_config=None,
        access_log=False,
        server_header=False,
        **options,
    )


class Server(uvicorn.Server):
    """A server that reports "not ready" before it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        app: FastAPI,
        drain_seconds: float,
        on_start: Callable[["Server"], object] | None = None,
    ) -> None:
        super().__init__(config)
        self._shutdown = app.state.shutdown
        self._drain_seconds = drain_seconds
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the service, then listen."""
        try:
            await super().startup(sockets)
        except OSError as error:  # another process took the port after the sockets were bound
            await self.lifespan.shutdown()
            raise SystemExit(f"PORT: cannot listen: {error.strerror}.") from None
        for host, port in dict.fromkeys(one.getsockname()[:2] for one in sockets or ()):
            logger.info("listening on %s, port %s", host, port)
        if self._on_start is not None:
            self._on_start(self)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Keep serving until load balancers have noticed, then finish running requests."""
        drained_at = monotonic() + self._drain_seconds
        self._shutdown.begin(drained_at + (self.config.timeout_graceful_shutdown or 0))
        # Keep-alive clients disconnect after their next response, before connections are closed.
        self.server_state.default_headers.append((b"connection", b"close"))
        while monotonic() < drained_at and not self.force_exit:
            await asyncio.sleep(0.05)
        self._shutdown.end_streams()
        await super().shutdown(sockets)


def run(
    build: Callable[[], FastAPI],
    sockets: list[socket.socket],
    options: ServerOptions,
    drain_seconds: float,
    on_start: Callable[[Server], object] | None = None,
) -> None:
    """Build the service and serve it until SIGTERM or Ctrl+C; call ``on_start`` when it listens."""
    gc.disable()  # what is loaded is not garbage
    app = build()
    tune_gc()
    server = Server(server_config(app, options), app, drain_seconds, on_start)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again at the end
        server.run(accept_in_parallel(sockets))


def run_reloading(
    factory: str, sockets: list[socket.socket], options: ServerOptions, folders: list[str]
) -> None:
    """Serve the application of ``factory``; restart when a file in the folders changes."""
    config = server_config(factory, options, folders)
    ChangeReload(config, target=uvicorn.Server(config).run, sockets=sockets).run()


def tune_gc() -> None:
    """Collect garbage less often, and skip loaded objects: saves a sixth of a read's time."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def build_app(app_module: str) -> FastAPI:
    """Call the factory that ``APP_MODULE`` names; raise ``SystemExit`` if that is impossible."""
    try:
        factory = import_from_string(app_module)
    except ImportFromStringError as error:
        raise SystemExit(f"APP_MODULE: {error}") from None
    app = factory() if callable(factory) else None
    if not isinstance(app, FastAPI):
        raise SystemExit("APP_MODULE: must name a function that returns a FastAPI application.")
    app.state.shutdown.is_served_by_kit = True
    return app
