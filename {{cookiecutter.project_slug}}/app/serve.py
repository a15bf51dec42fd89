"""Run the service: ``python -m app.serve``."""

from functools import partial

from fastapi import FastAPI

from app.core.config import Settings, load_settings
from app.kit.logging import configure_logging, run_logged
from app.kit.server.server import ServerOptions, build_app, run, run_reloading
from app.kit.server.sockets import bind_sockets


def main() -> None:
    """Serve until SIGTERM or Ctrl+C."""
    settings = load_settings()
    configure_logging(settings.log_level)
    sockets = bind_sockets(settings.host, settings.port)
    if settings.reload:
        run_reloading("app.serve:rebuild", sockets, options(settings), folders=["app"])
    else:
        build = partial(build_app, settings.app_module)
        run(build, sockets, options(settings), settings.effective_drain_seconds)


def options(settings: Settings) -> ServerOptions:
    """Return the server's part of the settings."""
    return ServerOptions(
        root_path=settings.root_path,
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        ws_max_size=settings.max_body_bytes,
        timeout_keep_alive=int(settings.keep_alive_seconds),
        timeout_graceful_shutdown=int(settings.grace_seconds),
    )


def rebuild() -> FastAPI:
    """Build the service in the process that a change of the code has started."""
    settings = load_settings()
    configure_logging(settings.log_level)
    return build_app(settings.app_module)


if __name__ == "__main__":
    run_logged(main)
