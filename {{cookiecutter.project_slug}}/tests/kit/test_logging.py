"""What is logged of requests: the id of each, one line, and nothing personal."""

import datetime as dt
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.kit.logging import JsonFormatter
from tests.support import ROOT
from tests.support.private import PRIVATE, PRIVATE_REQUESTS


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="app.access")
    caplog.handler.setFormatter(JsonFormatter())
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in log.text.splitlines()]
    return [line for line in parsed if line["logger"] == "app.access"]


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/health/live", "/health/live", 200),
        ("/api/v1/users/7?limit=1", "/api/v1/users/{id}", 404),
        ("/api/v1/users", "/api/v1/users/", 200),
        ("/nowhere", None, 404),
        ("/fault", "/fault", 500),
    ],
)
def test_line_names_the_route_and_not_the_path(
    client: TestClient, log: pytest.LogCaptureFixture, path: str, route: str | None, status: int
) -> None:
    response = client.get(path)
    (line,) = lines(log)
    assert (line["method"], line["route"], line["status"]) == ("GET", route, status)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert 0 < line["duration_ms"] < 60_000


def test_line_tells_head_from_get(client: TestClient, log: pytest.LogCaptureFixture) -> None:
    client.head("/health/live")
    (line,) = lines(log)
    assert (line["method"], line["route"]) == ("HEAD", "/health/live")


def test_client_cannot_forge_a_log_line(log: pytest.LogCaptureFixture) -> None:
    logging.getLogger("app.access").info("%s", 'a\r\n{"level": "INFO"}')
    (line,) = lines(log)
    assert line["message"] == 'a\r\n{"level": "INFO"}'


def test_error_is_logged_with_its_origin(log: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("app.access").exception("lookup failed")
    (line,) = lines(log)
    assert "KeyError: 'gone'" in line["exception"]


def test_nothing_personal_is_logged(client: TestClient, log: pytest.LogCaptureFixture) -> None:
    log.set_level(logging.WARNING, logger="httpx2")  # the client of this test
    log.set_level(logging.INFO)
    for method, path, options, status in PRIVATE_REQUESTS:
        assert client.request(method, path, **options).status_code == status, path
    assert log.text.count('"app.access"') == len(PRIVATE_REQUESTS)
    assert PRIVATE not in log.text
    assert client.headers.get("Authorization", PRIVATE).split()[-1] not in log.text


def test_callers_request_id_is_kept(client: TestClient) -> None:
    response = client.get("/health/live", headers={"X-Request-ID": "checkout-42.a_b"})
    assert response.headers["X-Request-ID"] == "checkout-42.a_b"


@pytest.mark.parametrize("inbound", ["", "a b", "x" * 65, "a\tb", "é", '"}', "a;b"])
def test_unsafe_request_id_is_replaced(client: TestClient, inbound: str) -> None:
    answer = client.get("/health/live", headers={b"X-Request-ID": inbound.encode()})
    assert len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Request-ID"].isalnum()


def test_each_request_gets_an_id_of_its_own(client: TestClient) -> None:
    ids = {client.get("/health/live").headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5


def test_id_stands_in_the_log_lines_of_the_request(
    app: FastAPI, client: TestClient, log: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        logging.getLogger("test").warning("at work")

    app.add_api_route("/work", work)
    client.get("/work", headers={"X-Request-ID": "abc"})
    assert '"message": "at work", "request_id": "abc"' in log.text


class Unspeakable:
    """Fail as it is shown."""

    def __repr__(self) -> str:
        raise RuntimeError


LOOP: list[object] = []
LOOP.append(LOOP)


def logged(log: pytest.LogCaptureFixture, **extra: object) -> dict[str, Any]:
    logging.getLogger("app.access").info("an order", extra=extra)
    (line,) = lines(log)
    return line


def test_extra_is_a_field(log: pytest.LogCaptureFixture) -> None:
    line = logged(log, order_id=5, items=["a", {"b": None}], fields={"kind": "x"})
    assert line["order_id"] == 5
    assert line["items"] == ["a", {"b": None}]
    assert line["fields"] == {"kind": "x"}


@pytest.mark.parametrize("name", ["time", "level", "logger", "request_id", "exception", "stack"])
def test_extra_replaces_no_field(log: pytest.LogCaptureFixture, name: str) -> None:
    plain = logged(log)
    log.clear()
    line = logged(log, **{name: "forged"})
    assert line[f"extra_{name}"] == "forged"
    assert line.get(name) != "forged"
    assert line.keys() - {f"extra_{name}"} == plain.keys()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Path("/a"), "/a"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ({"a": float("nan")}, "{'a': nan}"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (LOOP, "[[...]]"),
        (b"\xff", "b'\\xff'"),
        ("\ud800", "\ud800"),
        (10**5000, "<int>"),
        (Unspeakable(), "<Unspeakable>"),
    ],
    ids=[*"abcdefghijk"],
)
def test_value_unknown_to_json_does_not_break_the_line(
    log: pytest.LogCaptureFixture, value: object, shown: str
) -> None:
    line = logged(log, value=value, order_id=5)
    assert (line["value"], line["order_id"]) == (shown, 5)


def test_log_has_no_colours_of_uvicorn(log: pytest.LogCaptureFixture) -> None:
    assert "color_message" not in logged(log, color_message="\x1b[36mStarted")


def test_wrong_log_arguments_do_not_break_the_line() -> None:
    record = logging.makeLogRecord({"msg": "%d of %d", "args": ("one",)})
    assert json.loads(JsonFormatter().format(record))["message"] == "%d of %d ('one',)"


def test_stack_is_logged(log: pytest.LogCaptureFixture) -> None:
    logging.getLogger("app.access").info("here", stack_info=True)
    (line,) = lines(log)
    assert "test_stack_is_logged" in line["stack"]


PROGRAM = """
import asyncio, gc, logging, sys, threading, warnings
from app.kit.logging import run_logged

class Finalized:
    def __del__(self):
        raise ValueError("finalized")

async def fail():
    raise ValueError("unawaited task")

async def unhandled():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)

def main():
    warnings.warn("something\\nis old", stacklevel=1)
    thread = threading.Thread(target=lambda: {}["absent"], name="worker")
    thread.start()
    thread.join()
    Finalized()
    fail()
    asyncio.run(unhandled())
    gc.collect()
    logging.getLogger("app").info("%d", "no number")
    if sys.argv[1:]:
        raise SystemExit("PORT: is missing")
    raise LookupError("the end")

run_logged(main)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "last"), [([], "LookupError: the end"), (["sentence"], "PORT: is missing")]
)
def test_all_that_a_process_says_is_a_line_of_json(arguments: list[str], last: str) -> None:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["level"] for line in said[:3]] == ["WARNING", "CRITICAL", "ERROR"]
    expected = [
        "something\nis old",
        "KeyError: 'absent'",
        "ValueError: finalized",
        "was never awaited",
        "ZeroDivisionError",
        "ValueError: unawaited task",
        "%d ('no number',)",
        last,
    ]
    texts = [line["message"] + line.get("exception", "") for line in said]
    for part in expected:
        assert any(part in text for text in texts), part
    assert len(said) == len(expected)
