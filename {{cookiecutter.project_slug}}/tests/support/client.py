"""Clients of the service that need no process."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send


def join(app: FastAPI, started: TestClient, *, root_path: str = "") -> TestClient:
    """Return another client of a service that was started; it gets 500s as answers, too."""
    client = TestClient(app, raise_server_exceptions=False, root_path=root_path)
    client.portal = started.portal
    client.app_state.update(started.app_state)
    return client


@asynccontextmanager
async def running(app: FastAPI) -> AsyncGenerator[httpx2.AsyncClient]:
    """Run the service in the loop of the test, where many requests can be under way at once."""
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(with_state(app, state or {}))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


def with_state(app: FastAPI, state: Mapping[str, object]) -> ASGIApp:
    """Give each request what the lifespan yielded, as servers do."""

    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return with_state
