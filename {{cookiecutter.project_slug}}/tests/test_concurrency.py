"""Requests that wait hold up nobody else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.deps import DatabaseDep


def test_endpoint_that_waits_lets_others_pass(app: FastAPI, client: TestClient) -> None:
    waiting = asyncio.Event()
    go_on = asyncio.Event()

    async def wait() -> str:
        waiting.set()
        await go_on.wait()
        return "done"

    async def release() -> bool:
        await waiting.wait()
        go_on.set()
        return True

    app.add_api_route("/wait", wait)
    app.add_api_route("/release", release)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(client.get, "/wait")
        assert client.get("/release").json() is True
        assert answer.result(10).json() == "done"


def test_full_pool_leaves_the_loop_free(app: FastAPI, client: TestClient) -> None:
    """While requests wait for connections, those that need none are answered."""
    taken = asyncio.Event()
    go_on = asyncio.Event()

    async def hold(db: DatabaseDep) -> None:
        for _ in range(2):
            # {% filter replace("await ", cookiecutter.__await) %}
            await db._turnstile.acquire()
            # {% endfilter %}
        taken.set()
        await go_on.wait()
        for _ in range(2):
            db._turnstile.release()

    async def release() -> None:
        await taken.wait()
        go_on.set()

    app.add_api_route("/hold", hold)
    app.add_api_route("/release", release)
    with ThreadPoolExecutor(5) as threads:
        holding = threads.submit(client.get, "/hold")
        waiting = [threads.submit(client.get, "/api/v1/users/") for _ in range(4)]
        assert client.get("/health/live").status_code == 200
        client.get("/release")
        assert holding.result(10).status_code == 200
        assert {answer.result(10).status_code for answer in waiting} == {200}
