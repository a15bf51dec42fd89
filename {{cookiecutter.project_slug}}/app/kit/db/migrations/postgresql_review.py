"""Review what ``make migration`` writes for PostgreSQL: name the operations that lock for long.

Each of them holds a lock while it reads or writes all rows of a table.
"""

from collections.abc import Iterator

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext

from app.kit.db.migrations import review as common

SEE = 'for a large table, see "Migrate while the service runs" in docs/schema.md.'


def review(
    migration: MigrationContext, revision: object, directives: list[ops.MigrationScript]
) -> None:
    """Add the notes of this database to those of all."""
    common.review(migration, revision, directives, lock_notes)


def lock_notes(op: ops.MigrateOperation) -> Iterator[str]:
    """Yield which requests wait, and for how long."""
    match op:
        case ops.CreateIndexOp() if not op.kw.get("postgresql_concurrently"):
            yield f"writers of {op.table_name} wait until the index is built: {SEE}"
        case ops.CreateUniqueConstraintOp():
            yield f"requests for {op.table_name} wait until the index is built: {SEE}"
        case ops.CreateForeignKeyOp():
            yield f"writers of {op.source_table} wait until all rows are checked: {SEE}"
        case ops.AlterColumnOp() if op.modify_nullable is False:
            yield f"requests for {op.table_name} wait until all rows are checked: {SEE}"
        case ops.AlterColumnOp() if op.modify_type is not None and not _is_widened(op):
            yield f"requests for {op.table_name} wait until all rows are written again: {SEE}"


def _is_widened(op: ops.AlterColumnOp) -> bool:
    """Return whether a text only gets longer, which PostgreSQL does without reading the rows."""
    old, new = op.existing_type, op.modify_type
    is_text = old is not None and new is not None and old._type_affinity is new._type_affinity
    lengths = getattr(old, "length", None), getattr(new, "length", None)
    return is_text and hasattr(new, "length") and (lengths[0] or 2**31) <= (lengths[1] or 2**31)
