"""Migrations on SQLite: a copy of a table has all that the original had, or is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.util import CommandError

import app.kit.db.migrations.sqlite  # noqa: F401 (registers with Alembic)

COLUMNS = "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, url VARCHAR(200) NOT NULL"
LABEL = 'label VARCHAR(255) COLLATE "NOCASE" NOT NULL'
CHECK = "CONSTRAINT ck_link_url CHECK (length(url) > 0)"
KEPT = (
    "CREATE INDEX ix_expression ON link (lower(url))",
    "CREATE INDEX ix_mixed ON link (label, lower(url))",
    "CREATE INDEX ix_newest ON link (label DESC)",
    "CREATE INDEX ix_nocase ON link (url COLLATE NOCASE)",
    "CREATE UNIQUE INDEX ix_partial ON link (url) WHERE label > 'm'",
    "CREATE TRIGGER own AFTER INSERT ON link BEGIN DELETE FROM other; END",
    "CREATE TRIGGER others AFTER INSERT ON other BEGIN DELETE FROM link; END",
    "CREATE VIEW labels AS SELECT label FROM link",
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE other (id INTEGER)")
        yield connection


def create(connection: sa.Connection, *clauses: str) -> Operations:
    """Create a table of these clauses, and what must be kept; return Alembic's operations."""
    connection.exec_driver_sql(f"CREATE TABLE link ({', '.join((COLUMNS, LABEL, *clauses))})")
    for statement in KEPT:
        connection.exec_driver_sql(statement)
    return Operations(MigrationContext.configure(connection, opts={"render_as_batch": True}))


def schema(connection: sa.Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: sql for name, sql in rows}


def widen(op: Operations) -> None:
    with op.batch_alter_table("link") as batch:
        batch.alter_column("url", existing_type=sa.String(200), type_=sa.String(300))


def drop_index(op: Operations) -> None:
    with op.batch_alter_table("link") as batch:
        batch.drop_index("ix_newest")
        batch.alter_column("url", existing_type=sa.String(200), type_=sa.String(300))


def drop_check(op: Operations) -> None:
    with op.batch_alter_table("link") as batch:
        batch.drop_constraint("ck_link_url", type_="check")


def drop_label(op: Operations) -> None:
    with op.batch_alter_table("link") as batch:
        batch.drop_column("label")


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
def test_copy_has_indexes_triggers_and_collations(connection: sa.Connection) -> None:
    op = create(connection, CHECK)
    before = schema(connection)
    widen(op)
    after = schema(connection)
    assert "VARCHAR(300)" in after["link"]
    assert 'label VARCHAR(255) COLLATE "NOCASE"' in after["link"]
    assert "CHECK" in after["link"]
    assert "AUTOINCREMENT" in after["link"]
    assert after | {"link": ""} == before | {"link": ""}


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
@pytest.mark.parametrize(
    ("drop", "lost"), [(drop_index, {"ix_newest"}), (drop_check, set())], ids=["index", "check"]
)
def test_what_a_migration_drops_is_dropped(
    connection: sa.Connection, drop: Callable[[Operations], None], lost: set[str]
) -> None:
    op = create(connection, CHECK)
    before = schema(connection)
    drop(op)
    after = schema(connection)
    assert before.keys() - after.keys() == lost
    assert ("CHECK" in after["link"]) == (drop is not drop_check)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
@pytest.mark.filterwarnings("ignore:Unnamed CHECK")
@pytest.mark.parametrize(
    ("clause", "name"),
    [("CHECK (url > '')", "CHECK"), ("UNIQUE (url) ON CONFLICT REPLACE", "ON CONFLICT")],
)
def test_copy_that_would_lose_a_clause_is_refused(
    connection: sa.Connection, clause: str, name: str
) -> None:
    op = create(connection, clause)
    with pytest.raises(CommandError, match=f"would lose {name}"):
        widen(op)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
def test_index_that_no_longer_fits_is_named(connection: sa.Connection) -> None:
    op = create(connection)
    with pytest.raises(CommandError, match="the index ix_mixed does not fit .*no such column"):
        drop_label(op)


def test_renamed_table_takes_everything_along(connection: sa.Connection) -> None:
    op = create(connection)
    op.rename_table("link", "address")
    assert {it.partition(" ON ")[0] for it in schema(connection).values()} >= {
        it.partition(" ON ")[0] for it in KEPT if it.startswith("CREATE INDEX")
    }
