"""Compare sequential and concurrent calls to other services: ``python -m demo.fan_out``.

A local stub replaces Reddit, so that the demo works without Internet access.
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
from app.clients.open import Clients, open_clients
from app.core.clients import ClientSettings

DELAY_SECONDS = 0.1
REQUESTS = 5
ANSWER_SECONDS = 10
STOP_SECONDS = 5
SEQUENTIAL = "/api/v1/recipes/ideas"
CONCURRENT = "/api/v1/recipes/ideas/async"


def main() -> None:
    """Start the stub and the service, measure each endpoint a few times and print the medians."""
    # The service's clients use the environment's proxies; here they call this machine only.
    os.environ["no_proxy"] = "*"
    with (
        serving(stub()) as upstream,
        serving(service(upstream)) as address,
        httpx2.Client(base_url=address, timeout=ANSWER_SECONDS, trust_env=False) as client,
    ):
        medians_ms = {path: measure(client, path) for path in (SEQUENTIAL, CONCURRENT)}
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
    """Build both endpoints, with their sources at ``upstream``, no cache and no database."""
    settings = ClientSettings(ideas_base_url=upstream, upstream_cache_seconds=0)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Clients]]:
        async with open_clients(settings) as clients:
            yield {"clients": clients}

    app = FastAPI(lifespan=lifespan)
    app.include_router(ideas.router, prefix="/api/v1")
    return app


@contextmanager
def serving(app: FastAPI) -> Generator[str]:
    """Serve on a free port of this machine, in a thread, and yield the address."""
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
    """Return the median time of an answer in milliseconds, after a request to warm up."""
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
    print(f"Each of three sources answers after {DELAY_SECONDS * 1000:.0f} ms.\n")
    print(f"{'endpoint':30}{'calls':12}{'requests':>8}{'median ms':>12}")
    for calls, path in (("sequential", SEQUENTIAL), ("concurrent", CONCURRENT)):
        print(f"{path:30}{calls:12}{REQUESTS:8}{medians_ms[path]:12.0f}")
    ratio = medians_ms[SEQUENTIAL] / medians_ms[CONCURRENT]
    print(f"\nConcurrent calls are {ratio:.1f} times as fast.")


if __name__ == "__main__":
    main()
