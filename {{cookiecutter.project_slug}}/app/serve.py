"""Run the service: ``python -m app.serve``."""

import asyncio
import gc
import socket
from contextlib import suppress
from time import monotonic
from typing import Literal, TypedDict

import uvicorn
from fastapi import FastAPI
from uvicorn.importer import ImportFromStringError, import_from_string

from app.core.config import Settings, load_settings
from app.kit.logging import configure_logging
from app.kit.server.http_protocol import BoundedProtocol


class Server(uvicorn.Server):
    """A server that says it is leaving before it leaves."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, drain_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer "not ready" while load balancers look elsewhere, then finish what runs."""
        self._app.state.is_draining = True
        # Clients that keep connections leave with their next answer, before those are closed.
        self.server_state.default_headers.append((b"connection", b"close"))
        leave_at = monotonic() + self._drain_seconds
        # {% if cookiecutter.job_queue == "in_process" %}
        self.lifespan.state["worker"].leave(leave_at + (self.config.timeout_graceful_shutdown or 0))
        # {% endif %}
        while monotonic() < leave_at and not self.force_exit:
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)


class Options(TypedDict):
    """What uvicorn is told with and without reloading."""

    host: str
    port: int
    root_path: str
    forwarded_allow_ips: list[str]
    http: type[asyncio.Protocol]
    ws: Literal["none"]
    log_config: None
    access_log: bool
    server_header: bool
    timeout_graceful_shutdown: int


def main() -> None:
    """Serve until SIGTERM or Ctrl+C."""
    settings = load_settings()
    configure_logging(settings.log_level)
    options = Options(
        host=settings.host,
        port=settings.port,
        root_path=settings.root_path,
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        http=BoundedProtocol,
        ws="none",  # nothing here speaks it, and uvicorn would log paths and queries
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.grace_seconds),
    )
    if settings.reload:
        uvicorn.run("app.serve:rebuild", factory=True, reload=True, reload_dirs=["app"], **options)
        return
    gc.disable()  # what is loaded is no garbage
    app = build(settings)
    spare_collections()
    server = Server(uvicorn.Config(app, **options), app, settings.effective_drain_seconds)
    with suppress(KeyboardInterrupt):  # which uvicorn raises once more when all is finished
        server.run()


def spare_collections() -> None:
    """Look for garbage less often, and not in what was loaded: a sixth of the time of a read."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def build(settings: Settings) -> FastAPI:
    """Call the factory that ``APP_MODULE`` names."""
    try:
        factory = import_from_string(settings.app_module)
    except ImportFromStringError as error:
        raise SystemExit(f"APP_MODULE: {error}") from None
    app = factory() if callable(factory) else None
    if not isinstance(app, FastAPI):
        raise SystemExit("APP_MODULE: must name a function that returns a FastAPI application.")
    return app


def rebuild() -> FastAPI:
    """Build in the process that a change of the code has just started."""
    settings = load_settings()
    configure_logging(settings.log_level)
    return build(settings)


if __name__ == "__main__":
    main()
