"""How many requests a client may send, counted in memory."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.testclient import WebSocketDenialResponse

from app.core.config import Settings
from app.kit.http.middleware.rate_limit import client_of
from app.kit.rate_limit import memory, redis
from app.kit.rate_limit.limiter import open_limiter
from app.kit.rate_limit.memory import InMemoryWindows
from app.kit.rate_limit.policy import LimitStatus, Rule
from app.kit.rate_limit.redis import FailoverLimiter
from app.kit.rate_limit.settings import RateLimitSettings
from tests.support import ROOT
from tests.support.apps import build
# {% if cookiecutter.auth %}
from tests.support.client import join, running
# {% else %}
from tests.support.client import running
# {% endif %}
from tests.support.rate_limit import statuses
from tests.support.settings import ALLOWED_ORIGIN

LIMITS = {
    "rate_limit_requests": 4,
    # {% if cookiecutter.auth %}
    "rate_limit_login_requests": 2,
    # {% endif %}
}


@pytest.fixture(scope="module")
def shared_settings(shared_settings: Settings) -> Settings:
    """Allow few requests."""
    return shared_settings.model_copy(update=LIMITS)


@pytest.fixture
def client(client: TestClient, settings: Settings) -> Iterator[TestClient]:
    """Reset the limits for each test."""
    assert client.portal
    counting = client.portal.wrap_async_context_manager(open_limiter(settings, "test"))
    with counting as client.app_state["limiter"]:
        yield client


@pytest.mark.parametrize(("uri", "number"), [("memory://", 1), ("redis://localhost/0", 0)])
def test_limits_that_each_worker_counts_are_named(uri: str, number: int) -> None:
    settings = RateLimitSettings(rate_limit_storage_uri=SecretStr(uri), workers=4)
    warnings = settings.per_worker()
    assert len(warnings) == number
    assert all("up to 4 times as high" in warning for warning in warnings)


async def test_requests_that_wait_for_redis_wait_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis, "CONNECTIONS", 0)
    monkeypatch.setattr(redis, "PATIENCE_SECONDS", 0.01)
    shared, own = InMemoryWindows(60), InMemoryWindows(60)
    async with asyncio.timeout(1):
        status = await FailoverLimiter(shared, own).count(Rule("default", 1, 60), "somebody")
    assert status.is_allowed
    assert own._windows
    assert not shared._windows


def test_handshakes_of_websockets_count(app: FastAPI, client: TestClient) -> None:
    async def accept(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app.add_api_websocket_route("/socket", accept)
    sockets = TestClient(app)
    sockets.app_state.update(client.app_state)
    sockets.portal = client.portal
    for _ in range(4):
        with sockets.websocket_connect("/socket"):
            pass
    refused = pytest.raises(WebSocketDenialResponse)
    with refused as refusal, sockets.websocket_connect("/socket"):
        pass
    assert refusal.value.status_code == 429
    assert "Retry-After" in refusal.value.headers


def use_up(client: TestClient) -> httpx2.Response:
    """Send requests until one is refused, and return the refusal."""
    for _ in range(5):
        response = client.get("/nowhere", headers={"Origin": ALLOWED_ORIGIN})
        if response.status_code == 429:
            return response
    raise AssertionError("nothing was refused")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what moves the time on by so many seconds."""
    now = 1000.0
    for module in (memory, redis):
        monkeypatch.setattr(module, "monotonic", lambda: now)

    def move_on(seconds: float) -> None:
        nonlocal now
        now += seconds

    return move_on


async def test_one_request_tries_unavailable_redis_after_each_pause(
    clock: Callable[[float], None],
) -> None:
    asked = 0

    class Unavailable(InMemoryWindows):
        async def count(self, rule: Rule, client: str) -> LimitStatus:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0)
            raise ConnectionError

    counting = FailoverLimiter(Unavailable(60), InMemoryWindows(60))
    rule = Rule("default", 1, 60)
    await counting.count(rule, "somebody")
    for times in (1, 2, 3):
        await asyncio.gather(*(counting.count(rule, "somebody") for _ in range(9)))
        assert asked == times
        clock(redis.PAUSE_SECONDS)


async def test_limit_is_exact_for_200_concurrent_requests(settings: Settings) -> None:
    defaults = settings.model_copy(update={"rate_limit_requests": 100})
    async with running(build(defaults)) as client:
        assert await statuses(200, client) == {404: 100, 429: 100}


def test_refusal_is_a_problem_that_says_when_to_come_back(client: TestClient) -> None:
    response = use_up(client)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["title"] == "Too Many Requests"
    seconds = int(response.headers["retry-after"])
    assert 50 < seconds <= 60
    assert problem["detail"] == f"at most 4 requests in 60 s; try again in {seconds} s"
    assert response.headers["ratelimit-policy"] == '"default";q=4;w=60'
    assert response.headers["ratelimit"] == f'"default";r=0;t={seconds}'


def test_refusal_passes_through_the_other_middleware(client: TestClient) -> None:
    allowed = client.get("/nowhere").headers
    headers = use_up(client).headers
    assert headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    assert "Retry-After" in headers["access-control-expose-headers"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert allowed.keys() <= headers.keys()


@pytest.mark.usefixtures("clock")  # which stands still
def test_answers_say_what_is_left(client: TestClient) -> None:
    for left in (3, 2, 1, 0):
        assert client.get("/nowhere").headers["ratelimit"] == f'"default";r={left};t=60'


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("path", ["/api/v1/users/", "/docs", "/docs-assets/favicon.png", "/fault"])
def test_every_path_counts(client: TestClient, path: str) -> None:
    client.get("/nowhere")
    assert client.get(path).headers["ratelimit"] == '"default";r=2;t=60'


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/live/"])
def test_health_requests_do_not_count(client: TestClient, path: str) -> None:
    use_up(client)
    response = client.get(path)
    assert response.status_code == 200
    assert "ratelimit" not in response.headers


def test_preflight_requests_do_not_count(client: TestClient) -> None:
    use_up(client)
    asking = {"Origin": ALLOWED_ORIGIN, "Access-Control-Request-Method": "POST"}
    assert client.options("/api/v1/users/", headers=asking).status_code == 200


def test_window_slides_as_retry_after_says(
    client: TestClient, clock: Callable[[float], None]
) -> None:
    client.get("/nowhere")
    clock(20)
    seconds = int(use_up(client).headers["retry-after"])
    assert seconds == 40
    clock(seconds - 1)
    assert client.get("/nowhere").status_code == 429
    clock(1)
    assert client.get("/nowhere").status_code == 404
    assert client.get("/nowhere").status_code == 429


def test_each_address_has_its_own_limit(app: FastAPI, client: TestClient) -> None:
    use_up(client)
    other = TestClient(app, client=("192.0.2.1", 1))
    other.app_state.update(client.app_state)
    assert other.get("/nowhere").status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_forwarded_headers_do_not_change_the_client(client: TestClient, header: str) -> None:
    use_up(client)
    assert client.get("/nowhere", headers={header: "192.0.2.1"}).status_code == 429


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
        ("made up", "unknown"),
    ],
)
def test_client_is_an_address_or_a_network(host: str, name: str) -> None:
    assert client_of({"client": (host, 1)}) == name


def test_client_of_a_unix_socket_has_a_name() -> None:
    assert client_of({"client": None}) == client_of({}) == "unknown"


def test_restart_resets_the_limits(app: FastAPI) -> None:
    for _ in range(2):
        with TestClient(app) as client:
            assert client.get("/nowhere").headers["ratelimit"].startswith('"default";r=3')


# {% if cookiecutter.auth %}
@pytest.mark.parametrize(
    ("name", "other"), [("login", "signup"), ("password", "login"), ("signup", "login")]
)
@pytest.mark.parametrize("root_path", ["", "/prefix"])
@pytest.mark.parametrize("slash", ["", "/", "%0A", "%0A/", "/%0A"])
def test_password_routes_have_stricter_limits(
    app: FastAPI, client: TestClient, name: str, other: str, root_path: str, slash: str
) -> None:
    client = join(app, client, root_path=root_path)
    path = f"{root_path}/api/v1/auth/{name}"
    answers = [client.post(path + slash), client.post(path), client.post(path)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assert answers[1].headers["ratelimit"] == f'"{name}";r=0;t=60, "default";r=2;t=60'
    assert answers[2].headers["ratelimit-policy"] == f'"{name}";q=2;w=60'
    assert client.get("/nowhere").headers["ratelimit"] == '"default";r=1;t=60'
    assert client.post(f"{root_path}/api/v1/auth/{other}").status_code == 422


# {% endif %}
def test_limit_is_documented(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    for path in document["paths"].values():
        for operation in path.values():
            assert "429" in operation["responses"] or operation["tags"] == ["health"]


async def test_windows_of_idle_clients_are_deleted(clock: Callable[[float], None]) -> None:
    windows = InMemoryWindows(60)
    rule = Rule("default", 2, 60)
    for number in range(1000):
        await windows.count(rule, str(number))
    clock(30)
    await windows.count(rule, "7")
    clock(30)
    assert (await windows.count(rule, "7")).is_allowed
    assert not (await windows.count(rule, "7")).is_allowed
    assert len(windows._windows) == 1


async def test_windows_of_many_clients_use_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_WINDOWS", 10)
    windows = InMemoryWindows(60)
    rule = Rule("default", 1, 60)
    for number in range(1000):
        assert (await windows.count(rule, str(number))).is_allowed
    assert len(windows._windows) == 10
    assert not (await windows.count(rule, "999")).is_allowed


@pytest.mark.slow
def test_client_of_redis_is_loaded_for_a_redis_only() -> None:
    code = "import sys, app.main; print('redis' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert ended.stdout.split() == [b"False"]


def test_password_of_the_storage_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_STORAGE_URI", "redis://:secret@localhost:6379/0")
    assert "secret" not in repr(RateLimitSettings())
