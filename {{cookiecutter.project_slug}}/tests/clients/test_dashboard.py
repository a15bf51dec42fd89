"""The dashboard: two services, of which either may fail."""

import asyncio
from base64 import b64decode
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.support.upstream import Asked, Serve, json_reply, playing, reply

DASHBOARD = "/api/v1/dashboard"
CONDITION = {
    "temp_C": "-3",
    "FeelsLikeC": "-8",
    "humidity": "81",
    "windspeedKmph": "17",
    "weatherDesc": [{"value": "Light snow"}],
}
WEATHER = {"current_condition": [CONDITION]}
NEWS = {"hits": [{"title": "Soup", "url": None, "points": 3}, {"title": "Stew", "points": None}]}


async def both(request: Asked) -> bytes:
    return json_reply(WEATHER if request.path.startswith("/weather/") else NEWS)


def test_dashboard_has_weather_and_news(serve: Serve) -> None:
    with serve(both) as client:
        answer = client.get(f"{DASHBOARD}/Oslo").json()
    assert answer == {
        "city": "Oslo",
        "weather": {
            "status": "ok",
            "data": {
                "description": "Light snow",
                "temperature_celsius": -3,
                "feels_like_celsius": -8,
                "humidity_percent": 81,
                "wind_kmh": 17,
            },
            "detail": None,
        },
        "news": {
            "status": "ok",
            "data": [
                {"title": "Soup", "url": None, "points": 3},
                {"title": "Stew", "url": None, "points": 0},
            ],
            "detail": None,
        },
    }


def test_both_sources_are_requested_concurrently(serve: Serve) -> None:
    urls = []
    both_are_here = asyncio.Barrier(2)

    async def answer(request: Asked) -> bytes:
        urls.append(request.target)
        await both_are_here.wait()
        return await both(request)

    with serve(answer) as client:
        client.get(f"{DASHBOARD}/Oslo")
    assert sorted(urls) == [
        "/news/api/v1/search?tags=front_page&hitsPerPage=5",
        "/weather/Oslo?format=j1",
    ]


def test_one_part_is_shown_when_the_other_fails(serve: Serve) -> None:
    async def answer(request: Asked) -> bytes:
        if request.path.startswith("/weather/"):
            await asyncio.sleep(2)  # long enough to notice if nobody gives up
        return reply(status=502)

    with serve(answer, upstream_timeout_seconds=0.6) as client:
        response = client.get(f"{DASHBOARD}/Oslo")
    assert response.status_code == 200
    assert response.json() == {
        "city": "Oslo",
        "weather": {"status": "timeout", "data": None, "detail": "no response in time"},
        "news": {"status": "error", "data": None, "detail": "the service answered 502"},
    }


def test_redirect_is_not_followed(serve: Serve) -> None:
    paths = []

    async def answer(request: Asked) -> bytes:
        paths.append(request.path)
        return reply(status=302, Location="/elsewhere")

    with serve(answer) as client:
        weather = client.get(f"{DASHBOARD}/Oslo").json()["weather"]
    assert weather["detail"] == "the service answered 302"
    assert sorted(paths) == ["/news/api/v1/search", "/weather/Oslo"]


@pytest.mark.parametrize("number", ["nan", "1e999", "warm"])
def test_nan_and_infinity_are_errors(serve: Serve, number: str) -> None:
    async def answer(_: Asked) -> bytes:
        return json_reply({"current_condition": [CONDITION | {"temp_C": number}]})

    with serve(answer) as client:
        weather = client.get(f"{DASHBOARD}/Oslo").json()["weather"]
    assert weather["detail"] == "unexpected response"


@pytest.mark.parametrize(
    ("line", "options", "said"),
    [
        (b"nonsense", {}, "localhost does not answer"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0", {}, "localhost answers 503"),
        (b"", {"weather_base_url": "http://user:secret@127.0.0.1:1"}, "127.0.0.1 does not answer"),
    ],
    ids=["talks nonsense", "is busy", "does not listen"],
)
def test_credentials_and_city_stay_out_of_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture, line: bytes, options: dict[str, str], said: str
) -> None:
    async def answer(request: Asked) -> bytes:
        assert b64decode(request.headers["authorization"].split()[1]).decode() == "user:sécret"
        return line + b"\r\n\r\n" + await both(request)

    with serve(answer, **options) as client:
        client.get(f"{DASHBOARD}/Oslo")
    assert said in caplog.text
    assert "cret" not in caplog.text
    assert "Oslo" not in caplog.text.replace("GET http://testserver", "")


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
def test_proxy_of_the_environment_is_used(
    serve: Serve, client: TestClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked = []

    async def pass_on(request: Asked) -> bytes:
        asked.append(request.target)
        return json_reply(WEATHER)

    assert client.portal
    with (
        client.portal.wrap_async_context_manager(playing(pass_on)) as port,
        serve(both, weather_base_url="http://weather.example"),
    ):
        monkeypatch.setenv(name, f"127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "localhost")
        parts = client.get(f"{DASHBOARD}/Oslo").json()
    assert (parts["weather"]["status"], parts["news"]["status"]) == ("ok", "ok")
    assert asked == ["http://weather.example/Oslo?format=j1"]


def test_socks_proxy_of_the_environment_is_used_for_its_scheme_only(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(both, weather_base_url="https://weather.example") as client:
        monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "localhost")
        parts = client.get(f"{DASHBOARD}/Oslo").json()
    assert (parts["weather"]["status"], parts["news"]["status"]) == ("error", "ok")
    assert "weather.example does not answer: " in caplog.text


@pytest.mark.parametrize(
    ("city", "raw"),
    [
        ("São Paulo", "/weather/S%C3%A3o%20Paulo?format=j1"),
        ("a?b&c=d#e", "/weather/a%3Fb%26c%3Dd%23e?format=j1"),
    ],
)
def test_city_is_escaped_in_the_url(serve: Serve, city: str, raw: str) -> None:
    paths = []

    async def answer(request: Asked) -> bytes:
        if request.path.startswith("/weather/"):
            paths.append(request.target)
        return await both(request)

    with serve(answer) as client:
        response = client.get(f"{DASHBOARD}/{quote(city)}")
    assert response.json()["city"] == city
    assert paths == [raw]


@pytest.mark.parametrize("city", ["%2E", "%2E%2E", "%20", "%00a", "a%0Ab", "a" * 101])
def test_invalid_city_is_refused(serve: Serve, city: str) -> None:
    with serve(both) as client:
        assert client.get(f"{DASHBOARD}/{city}").status_code in {404, 422}
