"""Run the service: ``python -m app.serve``."""

from functools import partial

from fastapi import FastAPI

from app.core.config import load_settings
from app.kit.logging import configure_logging, run_logged
from app.kit.server.server import build_app, run, run_reloading, server_options
from app.kit.server.sockets import bind_sockets


def main() -> None:
    """Serve until SIGTERM or Ctrl+C."""
    settings = load_settings()
    configure_logging(settings.log_level)
    sockets = bind_sockets(settings.host, settings.port)
    options = server_options(settings, settings)
    build = partial(build_app, settings.app_module)
    drain_seconds = settings.effective_drain_seconds
    if settings.reload:
        run_reloading("app.serve:rebuild", sockets, options, folders=["app"])
    elif settings.workers > 1:
        # Imported here, because it cannot be imported on Windows.
        from app.kit.server.workers import run_workers

        serve = partial(run, build, options=options, drain_seconds=drain_seconds)
        run_workers(serve, sockets, settings, settings.log_level)
    else:
        run(build, sockets, options, drain_seconds)


def rebuild() -> FastAPI:
    """Build the service in a process that the reloader has started."""
    settings = load_settings()
    configure_logging(settings.log_level)
    return build_app(settings.app_module)


if __name__ == "__main__":
    run_logged(main)
