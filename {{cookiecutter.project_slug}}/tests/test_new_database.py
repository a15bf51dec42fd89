"""A new database: the migrations that build it, and the data it starts with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import URL, Connection, MetaData, PrimaryKeyConstraint, inspect

from app.core.config import Settings
from app.crud.crud_user import user
from app.db.base import Base
from app.db.init_db import init_db
from app.db.session import Database
from app.kit.db.engine import with_sync_connection
from app.kit.schemas import PageQuery
from app.schemas.user import UserCreate
from tests.support import ROOT, databases
from tests.support.databases import ALEMBIC


@pytest.mark.filterwarnings("ignore:Cannot correctly sort")  # the next sentence is clearer
def test_models_and_migrations_agree(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALEMBIC.attributes, "settings", settings)
    command.check(ALEMBIC)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_every_constraint_has_a_name(settings: Settings) -> None:
    found = MetaData()

    def reflect(connection: Connection) -> None:
        found.reflect(connection)
        for name in found.tables:
            for index in inspect(connection).get_indexes(name):
                assert index["name"]

    with_sync_connection(settings.database_url, reflect)
    for name in Base.metadata.tables:
        for constraint in found.tables[name].constraints:
            # A table has one primary key, so its name is never needed.
            assert constraint.name or isinstance(constraint, PrimaryKeyConstraint)


@pytest.fixture
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[URL]:
    """Name a database without tables, for the migrations to work on."""
    with databases.new_database(tmp_path) as name:
        settings = Settings(database_url=name)
        monkeypatch.setitem(ALEMBIC.attributes, "settings", settings)
        yield settings.database_url


@pytest.mark.slow
def test_migrations_can_be_undone_and_done_again(own_database: URL) -> None:
    def tables() -> set[str]:
        names: set[str] = set()
        with_sync_connection(own_database, lambda c: names.update(inspect(c).get_table_names()))
        return names - {"alembic_version"}

    command.upgrade(ALEMBIC, "heads")
    command.downgrade(ALEMBIC, "base")
    assert tables() == set()
    command.upgrade(ALEMBIC, "heads")
    assert tables() >= set(Base.metadata.tables)
    command.check(ALEMBIC)  # which finds tables without a model


def test_initial_revision_is_the_only_root() -> None:
    roots = [
        path.name
        for path in (ROOT / "migrations" / "versions").glob("*.py")
        if "down_revision = None" in path.read_text(encoding="utf-8")
    ]
    assert len(roots) == 1


# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
@pytest.mark.parametrize("environment", ["local", "production"])
async def test_first_superuser_is_there_once(
    database: Database, settings: Settings, environment: str
) -> None:
    settings = settings.model_copy(update={"environment": environment})
    for _ in range(2):
        await init_db(database, settings)
    async with database.read() as connection:
        page = await user.get_multi(connection, PageQuery(limit=10))
    superuser = ("admin@example.com", True)
    assert [(row["email"], row["is_superuser"]) for row in page["items"]] == [superuser]


async def test_user_with_the_address_of_the_first_superuser_stays_a_user(
    database: Database, settings: Settings
) -> None:
    async with database.transaction() as connection:
        await user.create(connection, UserCreate(name="Eve", email="admin@example.com"))
    with pytest.raises(ValueError, match="FIRST_SUPERUSER"):
        await init_db(database, settings)


# {%- endfilter +%}
