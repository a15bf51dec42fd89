"""Other services, played by a function."""

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.clients.fan_out import open_fan_out
from app.core.fan_out import FanOutSettings

Answer: TypeAlias = Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def serve(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return how to run the service against an upstream; the cache is off unless asked for."""

    @contextmanager
    def serving(answer: Answer, **options: float | str) -> Generator[TestClient]:
        settings = FanOutSettings().model_copy(update={"upstream_cache_seconds": 0} | options)
        transport = httpx2.MockTransport(answer)
        opening = open_fan_out(settings, transport)
        monkeypatch.setattr("app.main.open_fan_out", lambda _: opening)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    return serving
