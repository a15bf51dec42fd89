"""Run migrations on SQLite, where Alembic alters a table by copying it ("batch mode").

Alembic copies what SQLAlchemy can reflect. This module copies the rest, or refuses the migration.
"""

import re
import warnings
from typing import Any

from alembic import context
from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations.batch import ApplyBatchImpl
from alembic.util import CommandError
from alembic.util.sqla_compat import is_expression_index
from sqlalchemy import (
    Connection,
    Index,
    Inspector,
    String,
    Table,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.exc import OperationalError

from app.kit.db.migrations.sqlite_review import review

DIALECT = "sqlite"
CONNECT_ARGS: dict[str, object] = {}
OPTIONS: dict[str, Any] = {
    "process_revision_directives": review,
    "render_as_batch": True,
    "transactional_ddl": True,  # SQLite supports it, but Alembic assumes that it does not
}
OBJECTS = text(
    "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"
)
# The clauses that SQLAlchemy does not reflect: of an index, and of a table.
IS_SPECIAL = re.compile(r"\b(?:DESC|COLLATE)\b", re.IGNORECASE)
CLAUSES = ("CHECK", "COLLATE", "ON CONFLICT", "STRICT", "WITHOUT ROWID")


def migrate(connection: Connection, _settings: object) -> None:
    """Run Alembic's command in one transaction."""
    with warnings.catch_warnings(), context.begin_transaction():
        warnings.filterwarnings(
            "ignore", "Skipped unsupported reflection of expression-based index"
        )
        # Processes that start together wait here, and all but the first find nothing to do.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        context.run_migrations()


class KeepingImpl(SQLiteImpl):
    """Alembic's operations on SQLite, with complete copies of tables."""

    __dialect__ = "sqlite"
    _copy: "_Copy | None" = None

    def correct_for_autogen_constraints(
        self,
        conn_unique_constraints: set[UniqueConstraint],
        conn_indexes: set[Index],
        metadata_unique_constraints: set[UniqueConstraint],
        metadata_indexes: set[Index],
    ) -> None:
        """Leave out indexes on expressions, which are compared in ``sqlite_review.py``."""
        metadata_indexes.difference_update(list(filter(is_expression_index, metadata_indexes)))

    def prep_table_for_batch(self, batch_impl: ApplyBatchImpl, table: Table) -> None:
        """Record what the copy must contain."""
        if self.connection is not None and not self.as_sql:
            # Views and other tables' triggers may refer to this table, which is missing briefly.
            self._exec("PRAGMA legacy_alter_table=ON")
            self._copy = _Copy(self.connection, batch_impl, table)

    def rename_table(
        self,
        old_table_name: str,
        new_table_name: str,
        schema: str | None = None,
    ) -> None:
        """Rename a table; if this gives a copy the name of its original, complete the copy."""
        super().rename_table(old_table_name, new_table_name, schema)
        copy = self._copy
        if copy and copy.batch.temp_table_name == old_table_name:
            self._copy = None
            self._exec("PRAGMA legacy_alter_table=OFF")
            copy.complete()


class _Copy:
    """A table that is being copied."""

    def __init__(self, connection: Connection, batch: ApplyBatchImpl, table: Table) -> None:
        self.batch = batch
        self._connection = connection
        self._table = table
        self._objects = _objects(connection, table.name)
        self._reflected = {str(index.name) for index in table.indexes}
        self._kept = [key for key in self._objects if self._is_kept(*key)]
        for _, name in self._kept:
            batch.indexes.pop(name, None)  # or Alembic would create an incomplete one

    def _is_kept(self, kind: str, name: str) -> bool:
        """Return whether to recreate an object from its SQL: not an index that is dropped here."""
        if kind != "index":
            return kind == "trigger"
        if name in self._reflected:
            return name in self.batch.indexes and bool(IS_SPECIAL.search(self._objects[kind, name]))
        return True  # an index on an expression, which is not reflected

    def complete(self) -> None:
        """Add what was not reflected; raise ``CommandError`` if something is lost."""
        for kind, name in self._kept:
            try:
                self._connection.exec_driver_sql(self._objects[kind, name])
            except OperationalError as error:
                raise CommandError(
                    f"the {kind} {name} does not fit the changed table {self._table.name} "
                    f"({error.orig}): drop it before this operation, and create it again after it"
                ) from None
        if lost := self._lost():
            raise CommandError(
                f"copying the table {self._table.name} would lose {', '.join(lost)}: "
                'see "What SQLite copies" in docs/schema.md'
            )

    def _lost(self) -> list[str]:
        key = "table", self._table.name
        before, after = self._objects[key], _objects(self._connection, self._table.name)[key]
        # Each column and constraint that the revision drops may have had one of the clauses.
        dropped = len(self._table.c) - len(self.batch.columns)
        dropped += len([it for it in self._table.constraints if it.name])
        dropped -= len(self.batch.named_constraints)
        return [it for it in CLAUSES if _count(it, before) - _count(it, after) > max(0, dropped)]


def _count(clause: str, sql: str) -> int:
    return len(re.findall(rf"\b{clause}\b", sql, re.IGNORECASE))


def _objects(connection: Connection, table: str) -> dict[tuple[str, str], str]:
    """Return the statements that make a table, its indexes and triggers, by kind and name."""
    rows = connection.execute(OBJECTS, {"table": table})
    return {(kind, name): sql for kind, name, sql in rows}


@event.listens_for(Table, "before_create")
def _give_no_id_twice(table: Table, *_: object, **__: object) -> None:
    """Set AUTOINCREMENT on a copy, because SQLAlchemy does not reflect it."""
    if len(table.primary_key) == 1:
        table.dialect_options["sqlite"]["autoincrement"] = True


@event.listens_for(Table, "column_reflect")
def _reflect_collation(inspector: Inspector, table: Table, column: ReflectedColumn) -> None:
    """Add the collation of a column, which SQLAlchemy does not reflect."""
    if isinstance(inspector.bind, Connection) and isinstance(column["type"], String):
        sql = _objects(inspector.bind, table.name).get(("table", table.name), "")
        pattern = rf'[(,]\s*"?{re.escape(column["name"])}"?\s[^,]*?\bCOLLATE\s+"?(\w+)'
        if found := re.search(pattern, re.sub(r"\([\d, ]*\)", "", sql), re.IGNORECASE):
            column["type"].collation = found[1]
