"""The composition root: the application, its middleware and its lifespan."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import Lifespan

from app.api import pages  # example
from app.api.api_v1.api import add_routes
# {% if cookiecutter.auth and cookiecutter.rate_limit %}
from app.api.api_v1.endpoints.auth import PASSWORD_ROUTES
# {% endif %}
# {% if cookiecutter.fan_out %}
from app.clients.open import open_clients  # example
# {% endif %}
from app.core.about import ABOUT
from app.core.config import API_PREFIX, Settings, load_settings
# {% if cookiecutter.telemetry %}
from app.core.telemetry import create_telemetry
# {% endif %}
from app.db.session import open_database
# {% if cookiecutter.job_queue != "none" %}
from app.jobs.kinds import KINDS
from app.jobs.photos import photo_store  # example
# {% endif %}
# {% if cookiecutter.auth %}
from app.kit.auth.passwords import Passwords
from app.kit.auth.tokens import Tokens
# {% endif %}
from app.kit.db.engine import call_from_async
from app.kit.http import health
from app.kit.http.docs import add_docs
from app.kit.http.middleware.access_log import AccessLogMiddleware
from app.kit.http.middleware.body_limit import BodyLimitMiddleware, default_body_limit
from app.kit.http.middleware.cors import CrossOriginMiddleware
from app.kit.http.middleware.head import HeadMiddleware
# {% if cookiecutter.rate_limit %}
from app.kit.http.middleware.rate_limit import RateLimitMiddleware
# {% endif %}
from app.kit.http.middleware.request_id import RequestIdMiddleware
from app.kit.http.middleware.security_headers import SecurityHeadersMiddleware
from app.kit.http.middleware.shutdown import ShutdownMiddleware
# {% if cookiecutter.timing_middleware %}
from app.kit.http.middleware.timing import TimingMiddleware
# {% endif %}
from app.kit.http.middleware.websocket_origin import WebSocketOriginMiddleware
from app.kit.http.openapi import operation_id
from app.kit.http.problems import HANDLERS, unhandled
from app.kit.http.trailing_slash import TrailingSlashFallback
# {% if cookiecutter.job_queue == "procrastinate" %}
from app.kit.jobs.defer import ProcrastinateQueue
# {% elif cookiecutter.job_queue == "in_process" %}
from app.kit.jobs.in_process import open_worker
# {% endif %}
# {% if cookiecutter.rate_limit %}
from app.kit.rate_limit.limiter import open_limiter
from app.kit.rate_limit.policy import Rule
from app.kit.rate_limit.settings import RateLimitSettings
# {% endif %}
from app.kit.shutdown import Shutdown
# {% if cookiecutter.telemetry and cookiecutter.job_queue != "none" %}
from app.kit.telemetry.job_queue import measuring_queue
from app.kit.telemetry.job_traces import TracedQueue
# {% endif %}
# {% if cookiecutter.telemetry and cookiecutter.job_queue == "in_process" %}
from app.kit.telemetry.jobs import observing_jobs
# {% endif %}
# {% if cookiecutter.telemetry %}
from app.kit.telemetry.measures import measure_pool
from app.kit.telemetry.middleware import TelemetryMiddleware
# {% endif %}
# {% if cookiecutter.telemetry and cookiecutter.rate_limit %}
from app.kit.telemetry.rate_limit import MeasuredLimiter
# {% endif %}
# {% if cookiecutter.telemetry and cookiecutter.fan_out %}
from app.kit.telemetry.upstream import observing_upstream  # example
# {% endif %}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; its lifespan opens connections."""
    settings = settings or load_settings()
    # {% if cookiecutter.telemetry %}
    telemetry = create_telemetry(settings)
    # {% endif %}
    app = FastAPI(
        title=ABOUT.title,
        description=ABOUT.description,
        version=ABOUT.version,
        openapi_url=f"{API_PREFIX}/openapi.json" if settings.has_docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        lifespan=lifespan(settings),
        exception_handlers=HANDLERS,
        middleware=middleware(settings),
        # {% if cookiecutter.telemetry %}
        telemetry=telemetry.config(),
        # {% endif %}
    )
    # {% if cookiecutter.telemetry %}
    app.state.telemetry = telemetry
    app.add_middleware(TelemetryMiddleware, telemetry=telemetry)  # outermost
    # {% endif %}
    app.state.shutdown = Shutdown()
    app.state.readiness = None
    app.router.default = TrailingSlashFallback(app.router)
    app.include_router(health.router)
    add_routes(app)
    pages.add_pages(app)  # example
    if settings.has_docs:
        add_docs(app)
    return app


def middleware(settings: Settings) -> list[Middleware]:
    """Return the middleware of every request, outermost first."""
    return [
        Middleware(HeadMiddleware),
        Middleware(RequestIdMiddleware),
        Middleware(AccessLogMiddleware),
        # {% if cookiecutter.timing_middleware %}
        Middleware(TimingMiddleware),
        # {% endif %}
        Middleware(SecurityHeadersMiddleware),
        Middleware(
            CrossOriginMiddleware,
            origins=settings.backend_cors_origins,
            headers=settings.backend_cors_headers,
        ),
        Middleware(WebSocketOriginMiddleware, origins=settings.backend_cors_origins),
        # {% if cookiecutter.rate_limit %}
        Middleware(RateLimitMiddleware, rules=rules(settings), exempt="/health/"),
        # {% endif %}
        Middleware(BodyLimitMiddleware, default=default_body_limit(settings)),
        Middleware(ShutdownMiddleware),
        # Innermost, so that the response to an unhandled error passes through the others.
        Middleware(ServerErrorMiddleware, handler=unhandled),
    ]


# {% if cookiecutter.rate_limit %}
def rules(settings: RateLimitSettings) -> list[Rule]:
    """Return the rate limits, strictest first: a rejected request counts for no later rule."""
    seconds = settings.rate_limit_seconds
    return [
        # {% if cookiecutter.auth %}
        *(
            Rule(name, settings.rate_limit_login_requests, seconds, path=f"{API_PREFIX}{path}")
            for name, path in PASSWORD_ROUTES.items()
        ),
        # {% endif %}
        Rule("default", settings.rate_limit_requests, seconds),
    ]


# {% endif %}
def lifespan(settings: Settings) -> Lifespan[FastAPI]:
    """Return the lifespan, which opens resources at startup and closes them at shutdown."""

    @asynccontextmanager
    async def lend(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        """Open the resources and yield them as ``request.state``."""
        async with AsyncExitStack() as stack:
            # {% if cookiecutter.telemetry %}
            telemetry = app.state.telemetry
            await stack.enter_async_context(telemetry.running())
            # {% endif %}
            # {% if cookiecutter.telemetry and cookiecutter.fan_out %}
            observing = observing_upstream(telemetry.tracer, telemetry.meter)  # example
            stack.enter_context(observing)  # example
            # {% endif %}
            # {% if cookiecutter.telemetry and cookiecutter.job_queue == "in_process" %}
            stack.enter_context(observing_jobs(telemetry.tracer, telemetry.meter))
            # {% endif %}
            database = open_database(settings)
            stack.push_async_callback(call_from_async, database.close)
            state: dict[str, Any] = {"database": database}
            # {% if cookiecutter.telemetry %}
            measure_pool(telemetry.meter, database.pool)
            # {% endif %}
            # {% if cookiecutter.auth %}
            state["tokens"] = Tokens(settings, issuer=ABOUT.title)
            state["passwords"] = Passwords()
            # {% endif %}
            # {% if cookiecutter.fan_out %}
            opening = open_clients(settings)  # example
            state["clients"] = await stack.enter_async_context(opening)  # example
            # {% endif %}
            # {% if cookiecutter.rate_limit %}
            counting = open_limiter(settings, ABOUT.title)
            state["limiter"] = await stack.enter_async_context(counting)
            # {% endif %}
            # {% if cookiecutter.telemetry and cookiecutter.rate_limit %}
            state["limiter"] = MeasuredLimiter(telemetry.meter, state["limiter"])
            # {% endif %}
            # {% if cookiecutter.job_queue != "none" %}
            state["photos"] = photo_store(settings)  # example
            # {% endif %}
            # {% if cookiecutter.job_queue == "in_process" %}
            running = open_worker(database, settings, KINDS, grace_seconds=settings.grace_seconds)
            state["jobs"] = await stack.enter_async_context(running)
            stack.enter_context(app.state.shutdown.listening(state["jobs"].leave))
            # {% elif cookiecutter.job_queue == "procrastinate" %}
            state["jobs"] = ProcrastinateQueue(KINDS)
            # {% endif %}
            # {% if cookiecutter.telemetry and cookiecutter.job_queue != "none" %}
            state["jobs"] = TracedQueue(state["jobs"])
            counting_jobs = measuring_queue(telemetry.meter, database, KINDS)
            await stack.enter_async_context(counting_jobs)
            # {% endif %}
            yield state

    return lend
