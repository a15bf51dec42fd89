"""Ideas from several sources, sequentially and concurrently, and the demo that compares both."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from gzip import compress
from pathlib import Path
from threading import active_count
from time import sleep

import pytest
from fastapi import FastAPI

from app.api.clients import BLOCKING_REQUESTS
from tests.support import ROOT
from tests.support.upstream import Asked, Serve, json_reply, reply

SEQUENTIAL = "/api/v1/recipes/ideas"
CONCURRENT = "/api/v1/recipes/ideas/async"
BOTH = [SEQUENTIAL, CONCURRENT]
NO_IDEAS = {"data": {"children": []}}
SOURCES = ["recipes", "easyrecipes", "TopSecretRecipes"]


def listing(*titles: str) -> bytes:
    posts = [{"score": 12, "title": title, "url": "https://x.example/1"} for title in titles]
    return json_reply({"data": {"children": [{"data": post} for post in posts]}})


async def title_by_path(request: Asked) -> bytes:
    return listing(request.path)


@pytest.mark.parametrize("path", BOTH)
def test_ideas_come_by_source(serve: Serve, path: str) -> None:
    with serve(title_by_path) as client:
        answer = client.get(path).json()
    assert answer == {
        "sources": [
            {
                "name": name,
                "status": "ok",
                "ideas": [f"12: /ideas/r/{name}/top.json (https://x.example/1)"],
                "detail": None,
            }
            for name in SOURCES
        ]
    }


@pytest.mark.parametrize("path", BOTH)
def test_request_to_the_upstream_is_as_it_expects(serve: Serve, path: str) -> None:
    requests: list[Asked] = []

    async def answer(request: Asked) -> bytes:
        requests.append(request)
        return listing(*"abcdefg")

    with serve(answer) as client:
        sources = client.get(path, headers={"X-Request-ID": "abc"}).json()["sources"]
    assert [len(source["ideas"]) for source in sources] == [5, 5, 5]
    assert sorted(request.target for request in requests) == sorted(
        f"/ideas/r/{name}/top.json?sort=top&t=day&limit=5" for name in SOURCES
    )
    assert {request.headers["user-agent"] for request in requests} == {"recipe-ideas/0.1"}
    assert {request.headers["x-request-id"] for request in requests} == {"abc"}


@pytest.mark.slow
@pytest.mark.parametrize("path", BOTH)
def test_other_sources_answer_when_some_fail(serve: Serve, path: str) -> None:
    async def answer(request: Asked) -> bytes:
        if "/easyrecipes/" in request.path:
            return reply(status=500)
        if "/TopSecretRecipes/" in request.path:
            await asyncio.sleep(2)  # long enough to notice if nobody gives up
        return listing("Soup")

    with serve(answer, upstream_timeout_seconds=0.6) as client:
        sources = client.get(path).json()["sources"]
    assert [(source["status"], len(source["ideas"]), source["detail"]) for source in sources] == [
        ("ok", 1, None),
        ("error", 0, "the service answered 500"),
        ("timeout", 0, "no response in time"),
    ]


@pytest.mark.parametrize("path", BOTH)
def test_deadline_holds_for_all_sources_together(serve: Serve, path: str) -> None:
    async def late(request: Asked) -> bytes:
        await asyncio.sleep(2)
        return await title_by_path(request)

    with serve(late, upstream_timeout_seconds=30, upstream_deadline_seconds=0.05) as client:
        sources = client.get(path).json()["sources"]
    assert {source["status"] for source in sources} == {"timeout"}


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": {"children": [{"data": 1}]}}'])
def test_unexpected_answer_is_an_error_of_its_source(serve: Serve, path: str, body: bytes) -> None:
    async def answer(_: Asked) -> bytes:
        return reply(body)

    with serve(answer) as client:
        sources = client.get(path).json()["sources"]
    assert {source["detail"] for source in sources} == {"unexpected response"}


@pytest.mark.parametrize("path", BOTH)
def test_endless_answer_is_cut_off(serve: Serve, path: str) -> None:
    async def answer(request: Asked) -> bytes:
        request.connection.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            request.connection.write(b" " * 1_000_000)
            await request.connection.drain()

    with serve(answer) as client:
        sources = client.get(path).json()["sources"]
    assert {source["detail"] for source in sources} == {"the response is too large"}


def test_decompressed_answer_is_bounded(serve: Serve) -> None:
    bomb = compress(b" " * 3_000_000)

    async def answer(_: Asked) -> bytes:
        return reply(bomb, Content_Encoding="gzip")

    with serve(answer) as client:
        sources = client.get(CONCURRENT).json()["sources"]
    assert {source["detail"] for source in sources} == {"the response is too large"}


def test_cookies_are_neither_kept_nor_sent(serve: Serve) -> None:
    sent = []

    async def answer(request: Asked) -> bytes:
        sent.append(request.headers.get("cookie"))
        return json_reply(NO_IDEAS, cookie="city=München")

    with serve(answer) as client:
        for _ in range(2):
            sources = client.get(CONCURRENT).json()["sources"]
            assert {source["status"] for source in sources} == {"ok"}
    assert set(sent) == {None}


def test_invalid_address_is_an_error_of_its_source(serve: Serve) -> None:
    with serve(title_by_path, ideas_base_url=f"http://{64 * 'a'}.example") as client:
        sources = client.get(CONCURRENT).json()["sources"]
    assert {source["detail"] for source in sources} == {"the service cannot be reached"}


def test_concurrent_endpoint_asks_all_at_once(serve: Serve) -> None:
    all_are_here = asyncio.Barrier(len(SOURCES))

    async def answer(request: Asked) -> bytes:
        await all_are_here.wait()
        return await title_by_path(request)

    with serve(answer) as client:
        sources = client.get(CONCURRENT).json()["sources"]
    assert {source["status"] for source in sources} == {"ok"}


def test_sequential_endpoint_requests_one_source_at_a_time(serve: Serve) -> None:
    asked = []
    under_way = 0

    async def answer(request: Asked) -> bytes:
        nonlocal under_way
        under_way += 1
        asked.append((request.path.split("/")[3], under_way))
        await asyncio.sleep(0.01)
        under_way -= 1
        return await title_by_path(request)

    with serve(answer) as client:
        client.get(SEQUENTIAL)
    assert asked == [(name, 1) for name in SOURCES]


@pytest.mark.slow
def test_blocked_threads_leave_some_to_other_endpoints(app: FastAPI, serve: Serve) -> None:
    asked = 0
    go_on = asyncio.Event()

    async def hang(request: Asked) -> bytes:
        nonlocal asked
        asked += 1
        await go_on.wait()
        return await title_by_path(request)

    app.add_api_route("/threads", lambda: active_count())
    with serve(hang, ideas_sources=("one",)) as client, ThreadPoolExecutor(50) as threads:
        answers = [threads.submit(client.get, SEQUENTIAL) for _ in range(50)]
        while asked < BLOCKING_REQUESTS:
            sleep(0.01)
        sleep(0.1)  # for more to come, if there were more
        assert client.get("/threads").status_code == 200
        assert asked == BLOCKING_REQUESTS
        assert client.portal
        client.portal.call(go_on.set)
        statuses = {answer.result().json()["sources"][0]["status"] for answer in answers}
    assert statuses == {"ok"}


@pytest.mark.parametrize("path", BOTH)
def test_simultaneous_requests_share_one_call(serve: Serve, path: str) -> None:
    calls = 0

    async def answer(request: Asked) -> bytes:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.02)
        return await title_by_path(request)

    with serve(answer, upstream_cache_seconds=60) as client, ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: client.get(path).json(), range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert calls == len(SOURCES)


def test_failure_is_not_kept(serve: Serve) -> None:
    failing = True

    async def answer(request: Asked) -> bytes:
        return reply(status=503) if failing else await title_by_path(request)

    with serve(answer, upstream_cache_seconds=60) as client:
        assert client.get(CONCURRENT).json()["sources"][0]["status"] == "error"
        failing = False
        assert client.get(CONCURRENT).json()["sources"][0]["status"] == "ok"


@pytest.mark.parametrize(("seconds", "times"), [(0, 2), (0.01, 2), (60, 1)])
def test_answers_are_cached_for_the_time_that_is_set(
    serve: Serve, seconds: float, times: int
) -> None:
    calls = 0

    async def answer(request: Asked) -> bytes:
        nonlocal calls
        calls += 1
        return await title_by_path(request)

    with serve(answer, upstream_cache_seconds=seconds) as client:
        for _ in range(2):
            client.get(CONCURRENT)
            sleep(0.02)
    assert calls == times * len(SOURCES)


def test_connection_stays_open(serve: Serve) -> None:
    connections = set()

    async def answer(request: Asked) -> bytes:
        connections.add(request.connection)
        return await title_by_path(request)

    with serve(answer, ideas_sources=("one",)) as client:
        for _ in range(3):
            client.get(CONCURRENT)
    assert len(connections) == 1


@pytest.mark.slow
def test_cancelled_call_returns_its_connection(serve: Serve) -> None:
    is_first = True

    async def answer(request: Asked) -> bytes:
        nonlocal is_first
        if is_first:
            is_first = False
            await asyncio.sleep(2)
        return await title_by_path(request)

    options = {"upstream_connections": 1, "upstream_timeout_seconds": 0.3}
    with serve(answer, ideas_sources=("one",), **options) as client:
        statuses = [client.get(CONCURRENT).json()["sources"][0]["status"] for _ in range(2)]
    assert statuses == ["timeout", "ok"]


@pytest.mark.parametrize("connections", [1, 3])
def test_connections_are_used_and_bounded(serve: Serve, connections: int) -> None:
    peaks: list[int] = []
    open_now = 0
    all_in_use = asyncio.Barrier(connections)

    async def answer(_: Asked) -> bytes:
        nonlocal open_now
        open_now += 1
        peaks.append(open_now)
        await all_in_use.wait()
        await asyncio.sleep(0.01)  # for more to come, if there were more
        open_now -= 1
        return listing("a")

    with (
        serve(answer, ideas_sources=("one",), upstream_connections=connections) as client,
        ThreadPoolExecutor(6) as threads,
    ):
        answers = list(threads.map(client.get, [CONCURRENT] * 6))
    assert max(peaks) == connections
    assert {one.json()["sources"][0]["status"] for one in answers} == {"ok"}


@pytest.mark.slow
def test_the_demo_prints_its_table_only_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo.fan_out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("Each of three sources answers after 100 ms.")
    assert not list(tmp_path.iterdir())
