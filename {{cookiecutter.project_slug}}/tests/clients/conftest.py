"""Other services, played by a function."""

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeAlias

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.clients.fan_out import open_fan_out
from app.core.config import Settings
from app.core.fan_out import FanOutSettings
from app.main import create_app

Answer: TypeAlias = Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def serve(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return how to run the service against an upstream; the cache is off unless asked for."""

    @contextmanager
    def serving(answer: Answer, **options: float | str) -> Generator[TestClient]:
        transport = httpx2.MockTransport(answer)
        monkeypatch.setattr("app.main.open_fan_out", partial(open_fan_out, transport=transport))
        fan_out = FanOutSettings().model_copy(update={"upstream_cache_seconds": 0} | options)
        app = create_app(settings.model_copy(update={"fan_out": fan_out}))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    return serving
