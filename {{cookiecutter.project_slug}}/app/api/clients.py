"""The clients of other services, for endpoints."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Depends, Request

from app.clients.ideas import IdeaSource
from app.clients.open import Clients
from app.kit.http.state import lifespan_state

# Half of the endpoints' threads: services that hang must not block all of them.
BLOCKING_REQUESTS = 20


async def get_clients(request: Request) -> Clients:
    """Return the clients that the lifespan opened."""
    return lifespan_state(request.scope)["clients"]


ClientsDep = Annotated[Clients, Depends(get_clients)]


async def get_sources(clients: ClientsDep) -> list[IdeaSource]:
    """Return the sources of ideas."""
    return clients.ideas


async def get_deadline(clients: ClientsDep) -> float:
    """Return the deadline for all services, in seconds of the event loop's clock."""
    return asyncio.get_running_loop().time() + clients.deadline_seconds


SourcesDep = Annotated[list[IdeaSource], Depends(get_sources)]
DeadlineDep = Annotated[float, Depends(get_deadline)]


async def limit_blocking(_: DeadlineDep) -> AsyncGenerator[None]:
    """Limit how many requests block a thread; the deadline includes the wait for a turn."""
    yield


BLOCKING = Depends(limit_blocking, scope="function", max_concurrency=BLOCKING_REQUESTS)
