"""Load: as many requests as a service answers, and many at once of which none may be lost."""

import asyncio
import http.client
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SCRIPT = Path(__file__).parent / "load.lua"
ROWS = 10_000
BURST = 256
PATIENCE_SECONDS = 5
SOURCE_OK = '"status":"ok"'


@dataclass(frozen=True)
class Scenario:
    """One kind of request; ``{id}`` in the path stands for a random one of the rows."""

    path: str
    method: str = "GET"
    body: str = ""
    status: int = 200
    # How many sources must have answered: a service whose calls fail fast must not look fast.
    sources: int = 0


NEW = {"label": "A dish", "source": "A book", "url": "https://example.com", "submitter_id": 1}
SCENARIOS = {
    "get": Scenario("/api/v1/recipes/{id}"),
    "list": Scenario("/api/v1/recipes/?limit=20"),
    "create": Scenario("/api/v1/recipes/", "POST", json.dumps(NEW), 201),
    "live": Scenario("/health/live"),
}
IDEAS = {
    "sequential": Scenario("/api/v1/recipes/ideas", sources=3),
    "concurrent": Scenario("/api/v1/recipes/ideas/async", sources=3),
}


def check(port: int, scenario: Scenario) -> None:
    """Send one request; raise ``SystemExit`` unless the answer is the expected one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    headers = {"Content-Type": "application/json"}
    path = scenario.path.replace("{id}", "7")
    connection.request(scenario.method, path, scenario.body or None, headers)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    is_complete = not scenario.sources or answer.count(SOURCE_OK) == scenario.sources
    if response.status != scenario.status or not is_complete:
        raise SystemExit(f"{scenario.method} {path} is answered {response.status}: {answer}")


def wrk(port: int, scenario: Scenario, clients: int, seconds: int) -> Mapping[str, Any]:
    """Send requests for some seconds; return how many were answered, and how fast."""
    with TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        subprocess.run(
            ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", f"{PATIENCE_SECONDS}s"]
            + ["-s", str(SCRIPT), f"http://127.0.0.1:{port}"],
            env={
                **os.environ,
                "METHOD": scenario.method,
                "PATH_TEMPLATE": scenario.path,
                "BODY": scenario.body,
                "ROWS": str(ROWS),
                "SOURCES": str(scenario.sources),
                "SOURCE_OK": SOURCE_OK,
                "RESULT": str(result),
            },
            stdout=subprocess.DEVNULL,
            timeout=seconds + 2 * PATIENCE_SECONDS,
            check=True,
        )
        return json.loads(result.read_text())


def burst(port: int, path: str) -> int:
    """Send ``BURST`` requests at once; return how many are not answered well in time.

    wrk counts only what is answered, so that a service that hangs looks fast to it.
    """
    return asyncio.run(_burst(port, path))


async def _burst(port: int, path: str) -> int:
    answers = await asyncio.gather(*(_is_answered(port, path) for _ in range(BURST)))
    return answers.count(False)


async def _is_answered(port: int, path: str) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()
            )
            answer = await reader.read()
            writer.close()
    except OSError:
        return False
    return answer.startswith(b"HTTP/1.1 200 ")
