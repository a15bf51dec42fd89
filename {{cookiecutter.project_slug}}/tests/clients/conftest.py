"""Other services, played by a server on this machine."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import pytest
from fastapi.testclient import TestClient

from app.clients.open import Clients, open_clients
from app.core.clients import ClientSettings
from tests.support.upstream import Answer, Serve, playing


@pytest.fixture
def serve(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return how to give the service upstreams; the cache is off unless asked for."""
    monkeypatch.setenv("no_proxy", "*")  # past any proxy of the developer's
    assert client.portal
    run = client.portal.wrap_async_context_manager

    @contextmanager
    def serving(answer: Answer, **options: float | str) -> Generator[TestClient]:
        with run(clients_of(answer, options)) as clients:
            client.app_state["clients"] = clients
            yield client

    return serving


@asynccontextmanager
async def clients_of(answer: Answer, options: dict[str, float | str]) -> AsyncGenerator[Clients]:
    """Yield clients of services that a function plays, each under a path of its own."""
    async with playing(answer) as port:
        # By name, because clients may keep no cookies of hosts that are numbers.
        url = f"http://user:s%C3%A9cret@localhost:{port}"
        addresses = {f"{name}_base_url": f"{url}/{name}" for name in ("ideas", "weather", "news")}
        changes = {"upstream_cache_seconds": 0} | addresses | options
        async with open_clients(ClientSettings().model_copy(update=changes)) as clients:
            yield clients
