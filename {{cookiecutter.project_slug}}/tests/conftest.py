"""A migrated database for the run, empty for each test, and the service on top of it."""

import logging
# {% filter replace("Async", cookiecutter.__Async) %}
from collections.abc import AsyncGenerator, Iterator, Mapping
# {% endfilter %}
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.config import Settings
from app.db.session import Database
# {% if cookiecutter.auth %}
from app.kit.auth import passwords
# {% endif %}
from app.kit.server.server import tune_gc
from app.main import create_app
# {% if cookiecutter.auth %}
from tests.support import accounts, databases
# {% else %}
from tests.support import databases
# {% endif %}

ROOT = Path(__file__).parents[1]
logger = logging.getLogger(__name__)
ALLOWED_ORIGIN = "https://allowed.example"  # may call from its pages
ALEMBIC = Config(toml_file=ROOT / "pyproject.toml")


def pytest_collection_finish() -> None:
    """Look for garbage from now on, as seldom as the service does."""
    tune_gc()


def with_state(app: ASGIApp, state: Mapping[str, Any]) -> ASGIApp:
    """Give each request what the lifespan lends, as servers do."""
    return lambda scope, receive, send: app({**scope, "state": dict(state)}, receive, send)


class ServiceClient(TestClient):
    """Talk to a service that was started, as a client would: 500s are answers, too.

    ``TestClient`` changes threads eight times for each request, which is a sixth of the CPU time
    of all tests; this does twice.
    """

    def __init__(self, app: FastAPI, started: TestClient, root_path: str = "") -> None:
        super().__init__(app)
        self.portal = started.portal
        self.app_state.update(started.app_state)
        self._with_state = with_state(app, self.app_state)
        self._service = httpx2.ASGITransport(
            self._serve, raise_app_exceptions=False, root_path=root_path
        )

    def send(self, request: httpx2.Request, **_options: object) -> httpx2.Response:
        """Return the whole answer."""
        assert self.portal
        request.read()
        return self.portal.call(self._exchange, request)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log what breaks, as servers do."""
        try:
            await self._with_state(scope, receive, send)
        except Exception:
            logger.exception("a request broke")
            raise

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._service.handle_async_request(request)
        await response.aread()
        return response


def variables() -> set[str]:
    """Return the names of all environment variables that the service reads."""
    return {name.upper() for name in Settings.model_fields}


def fail() -> None:
    """Raise what nobody expects."""
    raise RuntimeError("secret")


@cache
def build(settings: Settings) -> FastAPI:
    """Build the service once, because FastAPI analyses all routes for the first request.

    It has one endpoint more, which fails.
    """
    app = create_app(settings)
    app.add_api_route("/fault", fail, include_in_schema=False)
    return app


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's variables and ``.env``, and so the developer's database, out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        for name in variables():
            patch.delenv(name, raising=False)
            patch.delenv(f"{name}_FILE", raising=False)
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield


# {% if cookiecutter.auth %}
@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash in a fraction of a millisecond instead of a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", accounts.QUICK)
        yield


# {% endif %}
@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the schema once, by the migrations, in a database that is ours."""
    with databases.new_database(tmp_path_factory.mktemp("database")) as url:
        ALEMBIC.attributes["settings"] = Settings(database_url=url)
        command.upgrade(ALEMBIC, "heads")
        yield url


@pytest.fixture(scope="session")
def shared_settings(migrated: str) -> Settings:
    """Name the database of all tests; the pool is small so that tests can fill it."""
    return Settings(
        database_url=migrated,
        database_pool_size=2,
        database_wait_seconds=1,
        backend_cors_origins=(ALLOWED_ORIGIN,),
        # {% if cookiecutter.auth %}
        secret_key=accounts.SETTINGS.secret_key,
        first_superuser_password=accounts.SETTINGS.first_superuser_password,
        # {% endif %}
        # {% if cookiecutter.rate_limit %}
        # {% if cookiecutter.auth %}
        rate_limit_login_requests=1_000_000,
        # {% endif %}
        rate_limit_requests=1_000_000,
        # {% endif %}
        # {% if cookiecutter.job_queue != "none" %}
        job_heartbeat_seconds=0.02,
        # {% endif %}
        # {% if cookiecutter.job_queue == "procrastinate" %}
        job_retries=1,
        job_backoff_seconds=0.001,
        # {% endif %}
    )


@pytest.fixture(scope="session")
def execute(migrated: str) -> Iterator[databases.Execute]:
    """Return what executes statements past the service."""
    with databases.connect(Settings(database_url=migrated).database_url) as execute:
        yield execute


# {% if cookiecutter.auth %}
@pytest.fixture(scope="session")
def superuser(migrated: str, execute: databases.Execute) -> dict[str, str]:
    """Add a superuser, keep their rows aside, and return the header they send."""
    settings = Settings(database_url=migrated, secret_key=accounts.SETTINGS.secret_key)
    # For as long as the tests may take.
    app = create_app(settings.model_copy(update={"access_token_seconds": 86_400}))
    with TestClient(app) as client:
        header = accounts.caller(client, "root@example.com", is_superuser=True)
    execute(accounts.KEEP)
    execute(databases.SWEEP)
    return header


# {% endif %}
@pytest.fixture
def settings(shared_settings: Settings, execute: databases.Execute) -> Iterator[Settings]:
    """Name the same database, which is empty; it is emptied again."""
    yield shared_settings
    execute(databases.SWEEP)


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    """Lend the service; routes and overrides that the test adds are taken away again."""
    app = build(settings)
    routes = list(app.router.routes)
    yield app
    app.router.routes[:] = routes
    app.dependency_overrides.clear()
    app.state.shutdown.is_draining = False


@pytest.fixture(scope="module")
def started(shared_settings: Settings) -> Iterator[TestClient]:
    """Start the service, once for the tests of a module."""
    with TestClient(build(shared_settings)) as client:
        yield client


# {% if cookiecutter.auth %}
@pytest.fixture
def client(
    app: FastAPI,
    started: TestClient,
    superuser: dict[str, str],
    execute: databases.Execute,
) -> TestClient:
# {% else %}
@pytest.fixture
def client(app: FastAPI, started: TestClient) -> TestClient:
# {% endif %}
    """Talk to the running service; the database is empty."""
    client = ServiceClient(app, started)
    # {% if cookiecutter.auth %}
    execute(accounts.PUT_BACK)
    client.headers |= superuser
    # {% endif %}
    return client


# {% if cookiecutter.auth %}
@pytest.fixture
def anonymous(client: TestClient) -> TestClient:
    """Talk to it without being logged in."""
    del client.headers["Authorization"]
    return client


# {% endif %}
# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
@pytest.fixture
async def database(settings: Settings) -> AsyncGenerator[Database]:
    """Open a pool of two connections without the service around it."""
    database = Database.from_settings(settings)
    yield database
    await database.close()


# {%- endfilter +%}
