"""Review what ``make migration`` writes for SQLite: keep indexes apart from copies of tables."""

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util.sqla_compat import is_expression_index
from sqlalchemy import Connection, MetaData, text

from app.kit.db.migrations import review as common

# Column -2 of an index is an expression.
EXPRESSION_INDEXES = text("""
SELECT name, tbl_name, sql FROM sqlite_master AS found
WHERE type = 'index' AND sql IS NOT NULL
    AND EXISTS (SELECT 1 FROM pragma_index_xinfo(found.name) WHERE cid = -2)
""")


def review(
    migration: MigrationContext, revision: object, directives: list[ops.MigrationScript]
) -> None:
    """Move indexes out of copies of tables, in which Alembic would lose DESC and expressions."""
    (script,) = directives
    upgrade, downgrade = script.upgrade_ops, script.downgrade_ops
    if upgrade is not None and downgrade is not None and migration.connection is not None:
        _separate_indexes(upgrade)
        _separate_indexes(downgrade)
        metadata = migration.opts["target_metadata"]
        _compare_expression_indexes(migration.connection, metadata, upgrade, downgrade)
    common.review(migration, revision, directives)


def _separate_indexes(container: ops.OpContainer) -> None:
    for operation in [it for it in container.ops if isinstance(it, ops.ModifyTableOps)]:
        for op in list(operation.ops):
            if isinstance(op, ops.DropIndexOp):
                operation.ops.remove(op)
                container.ops.insert(0, op)
            elif isinstance(op, ops.CreateIndexOp):
                operation.ops.remove(op)
                container.ops.append(op)
        if operation.is_empty():
            container.ops.remove(operation)


def _compare_expression_indexes(
    connection: Connection, metadata: MetaData, upgrade: ops.OpContainer, downgrade: ops.OpContainer
) -> None:
    """Compare the names: SQLAlchemy does not reflect these indexes, and Alembic skips them."""
    indexes = [index for table in metadata.tables.values() for index in table.indexes]
    wanted = {str(index.name): index for index in indexes if is_expression_index(index)}
    found = {row.name: row for row in connection.execute(EXPRESSION_INDEXES)}
    for name in wanted.keys() - found.keys():
        upgrade.ops.append(ops.CreateIndexOp.from_index(wanted[name]))
        downgrade.ops.insert(0, ops.DropIndexOp.from_index(wanted[name]))
    for name in found.keys() - wanted.keys():
        _, table, sql = found[name]
        if table in metadata.tables:
            upgrade.ops.insert(0, ops.DropIndexOp(name, table))
            downgrade.ops.append(ops.ExecuteSQLOp(sql))
