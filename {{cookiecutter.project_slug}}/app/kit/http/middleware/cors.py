"""Allow pages of other origins to call this service (CORS)."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.kit.http.problems import problem
from app.kit.logging import REQUEST_ID_HEADER

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
# Request headers that pages may send. They grant a page no trust, so the list is long: a missing
# header breaks tracing, caching or a library, and only in browsers.
REQUEST_HEADERS = (
    "Authorization",
    "Baggage",
    "Cache-Control",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Unmodified-Since",
    "Last-Event-ID",
    "Pragma",
    "Range",
    "Traceparent",
    "Tracestate",
    "X-Requested-With",
    REQUEST_ID_HEADER,
)
# Response headers that pages may read.
RESPONSE_HEADERS = (
    "Accept-Ranges",
    "Content-Range",
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Server-Timing",
    "WWW-Authenticate",
    "X-Process-Time",
    REQUEST_ID_HEADER,
)


class CrossOriginMiddleware(CORSMiddleware):
    """Starlette's middleware for exact origins, with refusals as problems."""

    def __init__(
        self, app: ASGIApp, *, origins: Sequence[str], headers: Sequence[str] = ()
    ) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=[*REQUEST_HEADERS, *headers],
            expose_headers=RESPONSE_HEADERS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer the preflight request of a browser."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        kept = {name: value for name, value in response.headers.items() if name[:8] != "content-"}
        return problem(response.status_code, bytes(response.body).decode(), headers=kept)
