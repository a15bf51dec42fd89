"""Every failure is a problem, also of requests that broke other services or outlast this one."""

import asyncio
import json
from textwrap import indent
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import insert
from starlette.types import Message, Receive, Scope, Send

from app.api.deps import DatabaseDep
from app.core.config import Settings
from app.db.base import User
from app.db.session import Database
from app.kit.errors import ConflictError, UnavailableError
from app.kit.http.middleware.shutdown import ShutdownMiddleware
from app.kit.schemas import MAX_ID
from app.main import create_app
from tests.support import ROOT
from tests.support.faults import failing_commits
from tests.support.users import ADA, USERS

TOO_LARGE = 2**63
RESPONSE_START: Message = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", f"{USERS}99", 404),
        ("PUT", USERS, 405),
        ("GET", f"{USERS}?limit=0", 422),
        ("POST", USERS, 422),
        ("GET", "/fault", 500),
    ],
)
def test_failure_has_the_shape_of_a_problem(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path, headers={"X-Request-ID": "abc"})
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"]) == (status, status)
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["request_id"] == "abc"


def test_subclass_of_a_domain_error_is_answered_as_its_base(
    app: FastAPI, client: TestClient
) -> None:
    class OutOfStockError(ConflictError):
        """A domain error of an owner."""

    async def order() -> None:
        raise OutOfStockError("no leeks are left")

    app.add_api_route("/order", order)
    response = client.get("/order")
    assert (response.status_code, response.json()["detail"]) == (409, "no leeks are left")


async def test_service_that_was_not_started_says_so(settings: Settings) -> None:
    """As httpx2.ASGITransport uses it, which runs no lifespan."""
    transport = httpx2.ASGITransport(create_app(settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/health/live")).status_code == 200
        with pytest.raises(RuntimeError, match="the service was not started"):
            await client.get(USERS)


async def test_readme_tells_how_an_asynchronous_client_starts_it(settings: Settings) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.split("```python\n")[1].split("```")[0]
    program = f"async def run():\n{indent(block, '    ')}    return response"
    names: dict[str, Any] = {"app": create_app(settings), "httpx2": httpx2}
    exec(program, names)  # noqa: S102 (of the README)
    response = await names["run"]()
    assert response.json() == {"status": "ok"}


def test_unexpected_error_is_not_described(client: TestClient) -> None:
    assert "secret" not in client.get("/fault").text


def test_wrong_method_gets_the_list_of_allowed_ones(client: TestClient) -> None:
    assert client.put(USERS).headers["allow"] == "GET, HEAD, POST"
    assert client.put(USERS[:-1]).headers["allow"] == "GET, HEAD, POST"


def test_files_can_only_be_read(client: TestClient) -> None:
    response = client.post("/docs-assets/swagger-ui.css")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


def test_unexpected_error_closes_the_connection(client: TestClient) -> None:
    assert client.get("/fault").headers["connection"] == "close"


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
def test_failed_commit_is_answered_500(app: FastAPI, client: TestClient) -> None:
    async def add(db: DatabaseDep) -> None:
        async with db.transaction() as connection:
            await connection.execute(insert(User), {"name": "Ada", "email": "ada@example.com"})

    app.add_api_route("/add", add, methods=["POST"])
    before = client.get(USERS).json()
    with failing_commits():
        assert client.post("/add").status_code == 500
    assert client.get(USERS).json() == before
    assert client.post("/add").status_code == 200


# {% endfilter %}
def test_unavailable_database_is_answered_503(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Database) -> None:
        raise UnavailableError("the database does not answer")

    monkeypatch.setattr(Database, "read", fail)
    response = client.get(USERS)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["detail"] == "the database does not answer"


@pytest.mark.parametrize("email", ["also secret", "also@secret\U0001f600.example"])
def test_refused_input_is_not_repeated(client: TestClient, email: str) -> None:
    response = client.post(USERS, json={"name": "secret" * 50, "email": email})
    assert response.status_code == 422
    assert "secret" not in response.text


@pytest.mark.parametrize("path", [USERS, USERS[:-1], "/health/live", "/health/live/"])
def test_slash_at_the_end_makes_no_difference(client: TestClient, path: str) -> None:
    response = client.get(path, follow_redirects=False)
    assert response.status_code == 200


def test_post_without_slash_keeps_its_body(client: TestClient) -> None:
    assert client.post(USERS[:-1], json=ADA).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b'{"name": 1e999, "email": "ada@example.com"}',
        b'{"name": "\\ud800", "email": "ada@example.com"}',
        b'{"\\ud800": 1}',
        b'{"name": "nul\\u0000", "email": "ada@example.com"}',
        b'{"name": "Ada", "email": "nul\\u0000@example.com"}',
        b'{"name":',
        b"[" * 100_000,
        b"9" * 5000,
        b"\xff\xfe",
        b"[]",
        b"null",
        b"",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_malformed_body_is_a_client_error(client: TestClient, body: bytes) -> None:
    response = client.post(USERS, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_body_that_is_not_declared_as_json_is_refused(client: TestClient) -> None:
    response = client.post(USERS, content=json.dumps(ADA).encode())
    assert response.status_code == 422
    said = "must be a JSON object, sent as application/json"
    assert response.json()["errors"] == [{"field": "body", "message": said}]


def test_position_in_malformed_json_is_not_a_field(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post(USERS, content=b'{"name": }', headers=headers)
    assert [error["field"] for error in response.json()["errors"]] == ["body"]


def test_thousands_of_unknown_fields_cost_little(client: TestClient) -> None:
    """Pydantic would describe each of them: half a second for a body of 1 MB."""
    unknown = {f"{number:x}": 0 for number in range(80_000)}
    response = client.post(USERS, json=ADA | unknown)
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "body", "message": "too many unknown fields"}]


def test_long_name_of_an_unknown_field_is_cut(client: TestClient) -> None:
    response = client.post(USERS, json=ADA | {"x" * 10_000: 0})
    assert response.json()["errors"][0]["field"] == f"body.{'x' * 100}"


@pytest.mark.parametrize("value", ["+2", "%202", "02", "2.0", "1_0", "00", "2%0A"])
@pytest.mark.parametrize("path", [USERS, f"{USERS}?limit=", f"{USERS}?after="])
def test_number_has_one_spelling(client: TestClient, path: str, value: str) -> None:
    response = client.get(path + value)
    assert response.status_code == 422
    message = response.json()["errors"][0]["message"]
    assert message == "must be digits without a sign, spaces or leading zeros"


@pytest.mark.parametrize(
    "path",
    [
        f"{USERS}?limit=-1",
        f"{USERS}?limit={TOO_LARGE}",
        f"{USERS}?after=-1",
        f"{USERS}?after={TOO_LARGE}",
        f"{USERS}?limit=many",
        f"{USERS}0",
        f"{USERS}-1",
        f"{USERS}{TOO_LARGE}",
        f"{USERS}%00",
        f"{USERS}%ff",
    ],
)
def test_number_out_of_range_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 422


def test_largest_id_is_valid(client: TestClient) -> None:
    assert client.get(f"{USERS}{MAX_ID}").status_code == 404
    assert client.get(f"{USERS}?after={MAX_ID}").json()["items"] == []


@pytest.mark.parametrize("path", ["//", "/api//v1/users", f"{USERS}/", "/%00", "/docs/../x"])
def test_malformed_path_is_not_answered_500(client: TestClient, path: str) -> None:
    assert client.get(path).status_code < 500


async def cut_off(app: FastAPI, *, begun: bool) -> list[Message]:
    """Cancel a request that waits, as the server does, and return what was sent."""
    sent: list[Message] = []

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        if begun:
            await send(RESPONSE_START)
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "app": app}
    task = asyncio.ensure_future(ShutdownMiddleware(endless)(scope, receive, send))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() is (sent[:1] in ([], [RESPONSE_START]))
    return sent


@pytest.mark.parametrize(
    ("is_draining", "begun", "statuses"),
    [(True, False, [503]), (True, True, [200]), (False, False, [])],
)
async def test_only_unanswered_requests_are_answered_503_at_shutdown(
    app: FastAPI, is_draining: bool, begun: bool, statuses: list[int]
) -> None:
    app.state.shutdown.is_draining = is_draining
    sent = await cut_off(app, begun=begun)
    starts = [message for message in sent if "status" in message]
    assert [start["status"] for start in starts] == statuses
    assert all((b"connection", b"close") in start["headers"] for start in starts[begun:])
