"""Other services, played by a function."""

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.clients.fan_out import open_fan_out
from app.core.fan_out import FanOutSettings

Answer: TypeAlias = Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def serve(client: TestClient) -> Serve:
    """Return how to give the service an upstream; the cache is off unless asked for."""
    assert client.portal
    run = client.portal.wrap_async_context_manager

    @contextmanager
    def serving(answer: Answer, **options: float | str) -> Generator[TestClient]:
        settings = FanOutSettings().model_copy(update={"upstream_cache_seconds": 0} | options)
        with run(open_fan_out(settings, httpx2.MockTransport(answer))) as fan_out:
            client.app_state["fan_out"] = fan_out
            yield client

    return serving
