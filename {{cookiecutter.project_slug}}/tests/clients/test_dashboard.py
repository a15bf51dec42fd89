"""The dashboard: two services, of which either may fail."""

import asyncio

import httpx2
import pytest

from tests.clients.conftest import Serve

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


async def both(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json=WEATHER if request.url.host == "wttr.in" else NEWS)


def test_weather_and_news_stand_side_by_side(serve: Serve) -> None:
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


def test_both_are_asked_at_once_and_in_their_own_way(serve: Serve) -> None:
    urls = []
    both_are_here = asyncio.Barrier(2)

    async def answer(request: httpx2.Request) -> httpx2.Response:
        urls.append(str(request.url))
        await both_are_here.wait()
        return await both(request)

    with serve(answer) as client:
        client.get(f"{DASHBOARD}/Oslo")
    assert sorted(urls) == [
        "https://hn.algolia.com/api/v1/search?tags=front_page&hitsPerPage=5",
        "https://wttr.in/Oslo?format=j1",
    ]


def test_one_part_is_shown_when_the_other_fails(serve: Serve) -> None:
    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "wttr.in":
            await asyncio.sleep(2)  # long enough to notice if nobody gives up
        return httpx2.Response(502)

    with serve(answer, upstream_timeout_seconds=0.05) as client:
        response = client.get(f"{DASHBOARD}/Oslo")
    assert response.status_code == 200
    assert response.json() == {
        "city": "Oslo",
        "weather": {"status": "timeout", "data": None, "detail": "no answer in time"},
        "news": {"status": "error", "data": None, "detail": "the service answered 502"},
    }


def test_redirect_is_not_followed(serve: Serve) -> None:
    hosts = set()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        hosts.add(request.url.host)
        return httpx2.Response(302, headers={"Location": "http://169.254.169.254/"})

    with serve(answer) as client:
        weather = client.get(f"{DASHBOARD}/Oslo").json()["weather"]
    assert weather["detail"] == "the service answered 302"
    assert hosts == {"wttr.in", "hn.algolia.com"}


@pytest.mark.parametrize("number", ["nan", "1e999", "warm"])
def test_number_that_is_none_is_an_error(serve: Serve, number: str) -> None:
    async def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"current_condition": [CONDITION | {"temp_C": number}]})

    with serve(answer) as client:
        weather = client.get(f"{DASHBOARD}/Oslo").json()["weather"]
    assert weather["detail"] == "the answer is not what was expected"


def test_credentials_and_city_stay_out_of_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with serve(answer, weather_base_url="http://user:secret@weather.example") as client:
        client.get(f"{DASHBOARD}/Oslo")
    assert "weather.example does not answer" in caplog.text
    assert "secret" not in caplog.text
    assert "Oslo" not in caplog.text.replace("GET http://testserver", "")


@pytest.mark.parametrize(
    ("city", "raw"),
    [
        ("São Paulo", "/S%C3%A3o%20Paulo?format=j1"),
        ("a?b&c=d#e", "/a%3Fb%26c%3Dd%23e?format=j1"),
    ],
)
def test_city_is_escaped(serve: Serve, city: str, raw: str) -> None:
    paths = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "wttr.in":
            paths.append(request.url.raw_path.decode())
        return await both(request)

    with serve(answer) as client:
        quoted = httpx2.QueryParams({"": city})
        response = client.get(f"{DASHBOARD}/{str(quoted)[1:].replace('+', '%20')}")
    assert response.json()["city"] == city
    assert paths == [raw]


@pytest.mark.parametrize("city", ["%2E", "%2E%2E", "%20", "%00a", "a%0Ab", "a" * 101])
def test_what_is_no_city_is_refused(serve: Serve, city: str) -> None:
    with serve(both) as client:
        assert client.get(f"{DASHBOARD}/{city}").status_code in {404, 422}
