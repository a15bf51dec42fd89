"""The service with endpoints of the tests; some of these functions suit ``APP_MODULE``."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from time import sleep

from fastapi import FastAPI, Request

from app.core.config import Settings
from app.main import create_app


@cache
def build(settings: Settings) -> FastAPI:
    """Build the service once, because FastAPI analyses all routes for the first request.

    The additional endpoint fails.
    """
    app = create_app(settings)
    app.add_api_route("/fault", fail, include_in_schema=False)
    return app


def fail() -> None:
    """Raise an unexpected error."""
    raise RuntimeError("secret")


def failing_app() -> FastAPI:
    """Add an endpoint that fails with a text of the client."""
    app = create_app()
    app.add_api_route("/fault", fail_with)
    return app


def fail_with(text: str) -> None:
    """Raise an error that another one with this text has led to."""
    try:
        raise ValueError(text)
    except ValueError as error:
        raise RuntimeError(text) from error


def slow_app() -> FastAPI:
    """Add an endpoint that takes a second."""
    app = create_app()
    app.add_api_route("/slow", slow)
    return app


async def slow() -> str:
    await asyncio.sleep(1)
    return "done"


def busy_app() -> FastAPI:
    """Add an endpoint that keeps the loop busy."""
    app = create_app()
    app.add_api_route("/health/busy", busy)  # no limit counts here
    return app


async def busy() -> None:
    sleep(0.005)  # noqa: ASYNC251 - as a long computation does


def client_app() -> FastAPI:
    """Add an endpoint that tells who sent the request."""
    app = create_app()
    app.add_api_route("/client", client)
    return app


async def client(request: Request) -> str:
    return f"{request.url.scheme} {request.client.host if request.client else None}"


def workers_app() -> FastAPI:
    """Add endpoints that tell the process, take a second, and log a long line.

    If the file ``BROKEN`` exists, there is no such service.
    """
    if Path(os.environ.get("BROKEN", "/nowhere")).exists():
        raise SystemExit("it is broken")
    app = slow_app()
    app.add_api_route("/pid", process_id)
    app.add_api_route("/verbose", verbose)
    return app


async def process_id() -> int:
    return os.getpid()


async def verbose() -> None:
    logging.getLogger("tests.verbose").warning("x" * 20_000)


def unopened_app() -> FastAPI:
    """Return a service whose lifespan fails."""

    @asynccontextmanager
    async def fail(_: FastAPI) -> AsyncGenerator[None]:
        raise RuntimeError("it cannot be opened")
        yield

    app = create_app()
    app.router.lifespan_context = fail
    return app


def killed_app() -> FastAPI:
    """Kill the process that builds the service."""
    os.kill(os.getpid(), signal.SIGKILL)
    return create_app()
