"""Malformed requests, several hundred of them."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.resilience.check import Check
from tests.resilience.document import USERS
from tests.resilience.service import Service

JSON = {"Content-Type": "application/json"}
# Sent in place of an id, a word or a number in the path or the query.
VALUES = (
    *("-1", "0", "1.5", "1e999", "NaN", "Infinity", "0x10", "1_0", "true", "null", "None", "[]"),
    *(str(2**63), str(-(2**63) - 1), "9" * 5000, "a" * 20_000),
    *("%00", "%ff", "%ed%a0%80", "%F0%9F%8D%B2", "%0d%0aX-Forged:%201", "%2e%2e%2f", "%", "%zz"),
    *("'", "';--", "%22", "%25", "_", "%3Cscript%3E", "$(id)", "{}", "*", "%20", "+"),
)
BODIES = (
    *(b"", b"{", b"[]", b"{}", b"null", b"true", b'""', b"0", b"\xff\xfe", b"\x00", b"{]}"),
    *(b'{"a": NaN}', b'{"a": 1e999}', b'{"a": -Infinity}', b"[" * 100_000, b'{"a":' * 50_000),
    *(b"9" * 5000, b'{"\\ud800": 1}', b'{"a": "\\u0000"}', b'{"a": 1, "a": 2}', b"a=1&b=2"),
    *(b"\xef\xbb\xbf{}", '{"name": "é"}'.encode("utf-16"), b"--x\r\n\r\n--x--"),
)
# Sent in place of a field.
FIELDS = (
    *("NaN", "1e999", "-1", "0", str(2**63), "9" * 400, "true", "null", "[]", "{}", '""'),
    *('"\\ud800"', '"\\u0000"', '"\\u0000@example.com"', '"' + "x" * 100_000 + '"', "[[[[]]]]"),
)
TYPES = ("", "text/plain", "application/xml", "multipart/form-data", "application/json; charset=x")
HEADERS = (
    *({"X-Request-ID": value} for value in ("", "a b", "x" * 10_000, "é", "%0d%0a")),
    *({"Host": value} for value in ("", "a b", "[::1", "x" * 1000, "example.com:99999")),
    *({"Origin": value} for value in ("null", "x", "http://[", "é", "https://a.example/" * 100)),
    *({"Authorization": value} for value in ("", "Bearer", "Bearer é", "Basic %", "Bearer a.b.c")),
    *({"Accept": "?"}, {"Accept-Encoding": ";q=x"}, {"Cookie": "=;=;"}, {"Range": "bytes=9-1"}),
    *({"Forwarded": "for="}, {"X-Forwarded-For": "é, -1"}, {"X-Forwarded-Proto": "x"}),
    *({"Content-Length": value} for value in ("-1", "many", "1_0", "1, 2", str(10**30))),
    *({"Transfer-Encoding": value} for value in ("x", "chunked, chunked", "gzip")),
    *({"If-None-Match": "é"}, {"If-Modified-Since": "never"}, {"Expect": "the unexpected"}),
    *({"Upgrade": "websocket", "Connection": "upgrade"}, {"Upgrade": "h2c", "Connection": "x"}),
)
PATHS = ("//", "/..", "/%00", "/%ff", "/.env", "/docs/../x", "/static/%2e%2e/main.py", "/?%", "*")
METHODS = ("HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G E T", "QUERY", "X" * 100)
HEADS = (
    *(b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n"),
    *(b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n", b"GET  /  HTTP/1.1\r\n\r\n"),
    *(b"GET http:// HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n", b"\x00\r\n\r\n"),
    *(b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n"),
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
)


def check_malformed_requests(service: Service) -> Iterator[Check]:
    """Send each request on its own connection."""
    paths = service.document.paths
    requests = [*_from_document(paths, service.headers), *_about_http(service.headers)]
    statuses = [_status(service, request) for request in requests]
    faults = sum(status >= 500 for status in statuses)
    yield Check(f"{len(requests)} malformed requests: answers of 5xx", faults, 0)
    yield Check(f"{len(requests)} malformed requests: not answered", statuses.count(0), 0)


def _from_document(paths: dict[str, Any], headers: dict[str, str]) -> Iterator[bytes]:
    """Make requests with one bad part for every operation."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            plain = re.sub(r"\{\w+\}", "1", path)
            targets = [re.sub(r"\{\w+\}", value, path) for value in VALUES if plain != path]
            for parameter, value in product(operation.get("parameters", []), VALUES):
                if parameter["in"] == "query":
                    targets.append(f"{plain}?{parameter['name']}={value}")
            for target in targets:
                yield _request(method.upper(), target, headers)
            if "requestBody" in operation:
                for body in BODIES:
                    yield _request(method.upper(), plain, headers | JSON, body)


def _about_http(headers: dict[str, str]) -> Iterator[bytes]:
    """Make requests that are odd for any service, and bytes that are not HTTP."""
    for more in HEADERS:
        yield _request("GET", USERS, headers | more)
    for path in PATHS:
        yield _request("GET", path, headers)
    for method in METHODS:
        yield _request(method, USERS, headers)
    for content_type in TYPES:
        yield _request("POST", USERS, headers | {"Content-Type": content_type}, b'{"name": "x"}')
    for name, value in product((b"name", b"email", b"is_superuser"), FIELDS):
        yield _request("POST", USERS, headers | JSON, b'{"%b": %b}' % (name, value.encode()))
    yield from HEADS


def _request(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    fields = {
        "Host": "resilience",
        "Connection": "close",
        "Content-Length": str(len(body)),
    } | headers
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _status(service: Service, request: bytes) -> int:
    """Send the request and return the status of the answer, 0 without an answer."""
    try:
        with service.connect(request) as connection:
            first = connection.recv(100).split()
    except (ConnectionError, TimeoutError):
        return 0
    return int(first[1]) if len(first) > 1 else 0
