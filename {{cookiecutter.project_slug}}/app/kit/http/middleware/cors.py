"""Which other sites' pages may call this service."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.kit.http.problems import problem
from app.kit.logging import REQUEST_ID_HEADER


class CrossOriginMiddleware(CORSMiddleware):
    """Starlette's, for exact origins, with refusals as problems."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["DELETE", "GET", "PATCH", "POST", "PUT"],
            # {% if cookiecutter.job_queue != "none" %}
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", REQUEST_ID_HEADER],
            # {% else %}
            allow_headers=["Authorization", "Content-Type", REQUEST_ID_HEADER],
            # {% endif %}
            expose_headers=[
                REQUEST_ID_HEADER,
                # {% if cookiecutter.job_queue != "none" %}
                "Location",
                # {% endif %}
                # {% if cookiecutter.rate_limit %}
                "RateLimit",
                "RateLimit-Policy",
                "Retry-After",
                # {% endif %}
                # {% if cookiecutter.timing_middleware %}
                "Server-Timing",
                "X-Process-Time",
                # {% endif %}
            ],
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a browser that asks before it sends."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        kept = {name: value for name, value in response.headers.items() if name[:8] != "content-"}
        return problem(response.status_code, bytes(response.body).decode(), headers=kept)
