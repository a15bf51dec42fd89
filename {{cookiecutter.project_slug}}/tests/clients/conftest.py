"""Other services, played by a server on this machine."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from fastapi.testclient import TestClient

from app.clients.fan_out import FanOut, open_fan_out
from app.core.fan_out import FanOutSettings

Answer: TypeAlias = Callable[[web.BaseRequest], Coroutine[None, None, web.StreamResponse]]
Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def serve(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return how to give the service upstreams; the cache is off unless asked for."""
    monkeypatch.setenv("no_proxy", "*")  # past any proxy of the developer's
    assert client.portal
    run = client.portal.wrap_async_context_manager

    @contextmanager
    def serving(answer: Answer, **options: float | str) -> Generator[TestClient]:
        with run(upstreams(answer, options)) as fan_out:
            client.app_state["fan_out"] = fan_out
            yield client

    return serving


@asynccontextmanager
async def upstreams(answer: Answer, options: dict[str, float | str]) -> AsyncGenerator[FanOut]:
    """Lend clients of services that a function plays, each under a path of its own."""
    async with RawTestServer(answer) as server:
        # By name: of hosts that are numbers aiohttp would keep no cookies anyway.
        url = server.make_url("/").with_host("localhost").with_user("user").with_password("sécret")
        addresses = {f"{name}_base_url": f"{url}{name}" for name in ("ideas", "weather", "news")}
        changes = {"upstream_cache_seconds": 0} | addresses | options
        async with open_fan_out(FanOutSettings().model_copy(update=changes)) as fan_out:
            yield fan_out
