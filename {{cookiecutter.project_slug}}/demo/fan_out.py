"""Show what asking at the same time is worth: ``python -m demo.fan_out``.

A stub on this machine stands in for Reddit, so that it works without Internet.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from statistics import median
from threading import Thread

import httpx2
import uvicorn
from fastapi import FastAPI

from app.api.api_v1.endpoints import ideas
from app.clients.fan_out import FanOut, open_fan_out
from app.core.fan_out import FanOutSettings

DELAY_SECONDS = 0.1
REQUESTS = 5
ANSWER_SECONDS = 10
STOP_SECONDS = 5
SLOW = "/api/v1/recipes/ideas"
FAST = "/api/v1/recipes/ideas/async"


def main() -> None:
    """Start both, ask each twin a few times and print how long it took."""
    # The service's clients heed proxies; here they talk to this machine only.
    os.environ["no_proxy"] = "*"
    with (
        serving(stub()) as upstream,
        serving(service(upstream)) as address,
        httpx2.Client(base_url=address, timeout=ANSWER_SECONDS, trust_env=False) as client,
    ):
        medians_ms = {path: measure(client, path) for path in (SLOW, FAST)}
    report(medians_ms)


def stub() -> FastAPI:
    """Build a service that answers any source in Reddit's format after ``DELAY_SECONDS``."""
    app = FastAPI()

    @app.get("/r/{source}/top.json")
    async def top(source: str) -> dict[str, object]:
        await asyncio.sleep(DELAY_SECONDS)
        post = {"score": 12, "title": f"An idea of {source}", "url": "https://example.com"}
        return {"data": {"children": [{"data": post}]}}

    return app


def service(upstream: str) -> FastAPI:
    """Build the twins alone, with their sources at ``upstream``, no cache and no database."""
    settings = FanOutSettings(ideas_base_url=upstream, upstream_cache_seconds=0)

    @asynccontextmanager
    async def lend(_: FastAPI) -> AsyncGenerator[dict[str, FanOut]]:
        async with open_fan_out(settings) as fan_out:
            yield {"fan_out": fan_out}

    app = FastAPI(lifespan=lend)
    app.include_router(ideas.router, prefix="/api/v1")
    return app


@contextmanager
def serving(app: FastAPI) -> Generator[str]:
    """Serve on a free port of this machine, in a thread, and lend the address."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    # Early requests wait in the socket's queue.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)


def measure(client: httpx2.Client, path: str) -> float:
    """Return the median time of an answer in milliseconds, after one to warm up."""
    ask(client, path)
    return median(ask(client, path) for _ in range(REQUESTS))


def ask(client: httpx2.Client, path: str) -> float:
    """Return the time of an answer in milliseconds; end the process if it is not complete."""
    response = client.get(path).raise_for_status()
    for source in response.json()["sources"]:
        if source["status"] != "ok":
            raise SystemExit(f"{path}: {source['name']}: {source['detail']}")
    return response.elapsed.total_seconds() * 1000


def report(medians_ms: dict[str, float]) -> None:
    """Print the table."""
    print(f"Each source answers after {DELAY_SECONDS * 1000:.0f} ms.\n")
    print(f"{'endpoint':30}{'requests':>10}{'median ms':>12}")
    for path, milliseconds in medians_ms.items():
        print(f"{path:30}{REQUESTS:10}{milliseconds:12.0f}")
    ratio = medians_ms[SLOW] / medians_ms[FAST]
    print(f"\nThe concurrent twin is {ratio:.1f} times as fast.")


if __name__ == "__main__":
    main()
