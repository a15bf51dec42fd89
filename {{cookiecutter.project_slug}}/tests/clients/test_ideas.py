"""Ideas from several sources: the twins, and the demo that compares them."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from gzip import compress
from pathlib import Path
from time import sleep

import pytest
import stamina
from aiohttp import web

from tests.clients.conftest import Serve
from tests.conftest import ROOT

TWINS = ["/api/v1/recipes/ideas", "/api/v1/recipes/ideas/async"]
SOURCES = ["recipes", "easyrecipes", "TopSecretRecipes"]


def listing(*titles: str) -> web.Response:
    posts = [{"score": 12, "title": title, "url": "https://x.example/1"} for title in titles]
    return web.json_response({"data": {"children": [{"data": post} for post in posts]}})


async def title_by_path(request: web.BaseRequest) -> web.StreamResponse:
    return listing(request.path)


@pytest.mark.parametrize("twin", TWINS)
def test_ideas_come_by_source(serve: Serve, twin: str) -> None:
    with serve(title_by_path) as client:
        answer = client.get(twin).json()
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


@pytest.mark.parametrize("twin", TWINS)
def test_upstream_is_asked_in_its_own_way(serve: Serve, twin: str) -> None:
    requests: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        requests.append(request)
        return listing(*"abcdefg")

    with serve(answer) as client:
        sources = client.get(twin, headers={"X-Request-ID": "abc"}).json()["sources"]
    assert [len(source["ideas"]) for source in sources] == [5, 5, 5]
    assert sorted(request.path_qs for request in requests) == sorted(
        f"/ideas/r/{name}/top.json?sort=top&t=day&limit=5" for name in SOURCES
    )
    assert {request.headers["User-Agent"] for request in requests} == {"recipe-ideas/0.1"}
    assert {request.headers["X-Request-ID"] for request in requests} == {"abc"}


@pytest.mark.slow
@pytest.mark.parametrize("twin", TWINS)
def test_others_answer_when_some_fail(serve: Serve, twin: str) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if "/easyrecipes/" in request.path:
            return web.Response(status=500)
        if "/TopSecretRecipes/" in request.path:
            await asyncio.sleep(2)  # long enough to notice if nobody gives up
        return listing("Soup")

    with serve(answer, upstream_timeout_seconds=0.3) as client:
        sources = client.get(twin).json()["sources"]
    assert [(source["status"], len(source["ideas"]), source["detail"]) for source in sources] == [
        ("ok", 1, None),
        ("error", 0, "the service answered 500"),
        ("timeout", 0, "no answer in time"),
    ]


@pytest.mark.parametrize("twin", TWINS)
def test_deadline_holds_for_all_together(serve: Serve, twin: str) -> None:
    async def late(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(2)
        return await title_by_path(request)

    with serve(late, upstream_timeout_seconds=30, upstream_deadline_seconds=0.05) as client:
        sources = client.get(twin).json()["sources"]
    assert {source["status"] for source in sources} == {"timeout"}


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": {"children": [{"data": 1}]}}'])
def test_unexpected_answer_is_an_error_of_its_source(serve: Serve, twin: str, body: bytes) -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body)

    with serve(answer) as client:
        sources = client.get(twin).json()["sources"]
    assert {source["detail"] for source in sources} == {"the answer is not what was expected"}


@pytest.mark.parametrize("twin", TWINS)
def test_endless_answer_is_cut_off(serve: Serve, twin: str) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 1_000_000)

    with serve(answer) as client:
        sources = client.get(twin).json()["sources"]
    assert {source["detail"] for source in sources} == {"the answer is too large"}


def test_small_answer_that_becomes_a_large_one_is_cut_off(serve: Serve) -> None:
    bomb = compress(b" " * 3_000_000)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    with serve(answer) as client:
        sources = client.get(TWINS[1]).json()["sources"]
    assert {source["detail"] for source in sources} == {"the answer is too large"}


def test_cookies_are_neither_kept_nor_sent(serve: Serve) -> None:
    sent = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        sent.append(request.headers.get("Cookie"))
        response = await title_by_path(request)
        response.headers["Set-Cookie"] = "city=München"
        return response

    with serve(answer) as client:
        for _ in range(2):
            sources = client.get(TWINS[1]).json()["sources"]
            assert {source["status"] for source in sources} == {"ok"}
    assert set(sent) == {None}


def test_address_that_makes_no_sense_is_an_error_of_its_source(serve: Serve) -> None:
    with serve(title_by_path, ideas_base_url=f"http://{64 * 'a'}.example") as client:
        sources = client.get(TWINS[1]).json()["sources"]
    assert {source["detail"] for source in sources} == {"the service cannot be reached"}


def test_fast_twin_asks_all_at_once(serve: Serve) -> None:
    all_are_here = asyncio.Barrier(len(SOURCES))

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await all_are_here.wait()
        return await title_by_path(request)

    with serve(answer) as client:
        sources = client.get(TWINS[1]).json()["sources"]
    assert {source["status"] for source in sources} == {"ok"}


def test_slow_twin_asks_one_after_another(serve: Serve) -> None:
    asked = []
    under_way = 0

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal under_way
        under_way += 1
        asked.append((request.path.split("/")[3], under_way))
        await asyncio.sleep(0.01)
        under_way -= 1
        return await title_by_path(request)

    with serve(answer) as client:
        client.get(TWINS[0])
    assert asked == [(name, 1) for name in SOURCES]


@pytest.mark.parametrize("twin", TWINS)
def test_simultaneous_requests_share_one_call(serve: Serve, twin: str) -> None:
    calls = 0

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.02)
        return await title_by_path(request)

    with serve(answer, upstream_cache_seconds=60) as client, ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: client.get(twin).json(), range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert calls == len(SOURCES)


def test_failure_is_not_kept(serve: Serve) -> None:
    failing = True

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=503) if failing else await title_by_path(request)

    with serve(answer, upstream_cache_seconds=60) as client:
        assert client.get(TWINS[1]).json()["sources"][0]["status"] == "error"
        failing = False
        assert client.get(TWINS[1]).json()["sources"][0]["status"] == "ok"


@pytest.mark.parametrize(("seconds", "times"), [(0, 2), (0.01, 2), (60, 1)])
def test_answers_are_kept_as_long_as_asked_for(serve: Serve, seconds: float, times: int) -> None:
    calls = 0

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return await title_by_path(request)

    with serve(answer, upstream_cache_seconds=seconds) as client:
        for _ in range(2):
            client.get(TWINS[1])
            sleep(0.02)
    assert calls == times * len(SOURCES)


@pytest.mark.parametrize(("retries", "status"), [(0, "error"), (1, "ok")])
def test_retries_are_off_unless_asked_for(serve: Serve, retries: int, status: str) -> None:
    asked: Counter[str] = Counter()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked[request.path] += 1
        if asked[request.path] <= 2:  # aiohttp asks a second time by itself
            assert request.transport
            request.transport.abort()
        return await title_by_path(request)

    testing = stamina.set_testing(True, attempts=9, cap=True)  # does not wait between attempts
    with testing, serve(answer, upstream_retries=retries) as client:
        sources = client.get(TWINS[1]).json()["sources"]
    assert {source["status"] for source in sources} == {status}


@pytest.mark.parametrize(("status", "times"), [(404, 1), (429, 4), (503, 4)])
def test_only_failure_that_may_change_is_retried(serve: Serve, status: int, times: int) -> None:
    calls = 0

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.Response(status=status)

    testing = stamina.set_testing(True, attempts=9, cap=True)
    with testing, serve(answer, upstream_retries=3) as client:
        client.get(TWINS[1])
    assert calls == times * len(SOURCES)


def test_connection_stays_open(serve: Serve) -> None:
    connections = set()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        connections.add(request.transport)
        return await title_by_path(request)

    with serve(answer, ideas_sources=("one",)) as client:
        for _ in range(3):
            client.get(TWINS[1])
    assert len(connections) == 1


@pytest.mark.slow
def test_call_that_is_given_up_frees_its_connection(serve: Serve) -> None:
    is_first = True

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal is_first
        if is_first:
            is_first = False
            await asyncio.sleep(2)
        return await title_by_path(request)

    options = {"upstream_connections": 1, "upstream_timeout_seconds": 0.3}
    with serve(answer, ideas_sources=("one",), **options) as client:
        statuses = [client.get(TWINS[1]).json()["sources"][0]["status"] for _ in range(2)]
    assert statuses == ["timeout", "ok"]


@pytest.mark.parametrize("connections", [1, 3])
def test_connections_are_used_and_bounded(serve: Serve, connections: int) -> None:
    peaks: list[int] = []
    open_now = 0
    all_in_use = asyncio.Barrier(connections)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
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
        answers = list(threads.map(client.get, [TWINS[1]] * 6))
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
    assert done.stdout.startswith("Each source answers after 100 ms.")
    assert not list(tmp_path.iterdir())
