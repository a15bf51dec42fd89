"""A migrated database for the run, empty for each test, and the service on top of it."""

# {% filter replace("Async", cookiecutter.__Async) %}
from collections.abc import AsyncGenerator, Iterator
# {% endfilter %}

import pytest
from alembic import command
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.core.config import Settings
from app.db.session import Database
from app.kit.server.server import tune_gc
from tests.support import databases
from tests.support.apps import build
from tests.support.client import join
from tests.support.settings import SETTINGS


def pytest_collection_finish() -> None:
    """Look for garbage from now on, as seldom as the service does."""
    tune_gc()


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ignore the developer's variables and ``.env``, and so the developer's database."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
            patch.delenv(f"{name.upper()}_FILE", raising=False)
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the schema once, by the migrations, in a new database; return its URL."""
    with databases.new_database(tmp_path_factory.mktemp("database")) as url:
        databases.ALEMBIC.attributes["settings"] = Settings(database_url=url)
        command.upgrade(databases.ALEMBIC, "heads")
        yield url


@pytest.fixture(scope="session")
def shared_settings(migrated: str) -> Settings:
    """Return the settings of all tests."""
    return Settings.model_validate({"database_url": migrated, **SETTINGS})


@pytest.fixture(scope="session")
def execute(migrated: str) -> Iterator[databases.Execute]:
    """Return a function that executes statements without the service."""
    with databases.connect(Settings(database_url=migrated).database_url) as execute:
        yield execute


@pytest.fixture
def settings(shared_settings: Settings, execute: databases.Execute) -> Iterator[Settings]:
    """Return the same settings; the database is empty, and emptied again after the test."""
    yield shared_settings
    execute(databases.DELETE_ALL_ROWS)


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    """Return the service; routes and overrides that the test adds are removed after it."""
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


@pytest.fixture
def client(app: FastAPI, started: TestClient) -> TestClient:
    """Return a client of the running service; the database is empty."""
    return join(app, started)


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
@pytest.fixture
async def database(settings: Settings) -> AsyncGenerator[Database]:
    """Open a pool of two connections without the service around it."""
    database = Database.from_settings(settings)
    yield database
    await database.close()


# {%- endfilter +%}
