"""The migrations."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, PrimaryKeyConstraint, inspect

from app.core.config import Settings
from app.db.base import Base
from app.db.engine import run_blocking
from tests.conftest import ALEMBIC


@pytest.fixture
def _own_database(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALEMBIC.attributes, "url", settings.database_url)


@pytest.mark.usefixtures("_own_database")
def test_models_and_migrations_agree() -> None:
    command.check(ALEMBIC)


def test_every_constraint_has_a_name(settings: Settings) -> None:
    found = MetaData()

    def reflect(connection: Connection) -> None:
        found.reflect(connection)
        for name in found.tables:
            for index in inspect(connection).get_indexes(name):
                assert index["name"]

    run_blocking(settings.database_url, reflect)
    for name in Base.metadata.tables:
        for constraint in found.tables[name].constraints:
            # A table has one key, so nobody needs its name.
            assert constraint.name or isinstance(constraint, PrimaryKeyConstraint)


@pytest.mark.slow
@pytest.mark.usefixtures("_own_database")
def test_migrations_can_be_undone_and_done_again(settings: Settings) -> None:
    def tables() -> set[str]:
        names: set[str] = set()
        run_blocking(settings.database_url, lambda c: names.update(inspect(c).get_table_names()))
        return names - {"alembic_version"}

    command.downgrade(ALEMBIC, "base")
    assert tables() == set()
    command.upgrade(ALEMBIC, "heads")
    # {% if cookiecutter.job_queue == "procrastinate" %}
    ours = {name for name in tables() if not name.startswith("procrastinate_")}
    assert ours == set(Base.metadata.tables)
    # {% else %}
    assert tables() == set(Base.metadata.tables)
    # {% endif %}
    command.check(ALEMBIC)


def test_initial_revision_is_the_only_root() -> None:
    roots = [
        path.name
        for path in (Path(__file__).parents[2] / "migrations" / "versions").glob("*.py")
        if "down_revision = None" in path.read_text(encoding="utf-8")
    ]
    assert len(roots) == 1
