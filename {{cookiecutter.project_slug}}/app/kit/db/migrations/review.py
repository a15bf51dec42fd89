"""Review what ``make migration`` writes: add notes, or refuse the models."""

import sys
from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _repr_type as repr_type
from alembic.autogenerate.render import renderers
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Column, Dialect, Enum, MetaData
from sqlalchemy.sql.ddl import sort_tables_and_constraints
from sqlalchemy.types import TypeDecorator, TypeEngine


class NoteOp(ops.MigrateOperation):
    """A comment in a revision."""

    def __init__(self, text: str) -> None:
        self.text = text

    def to_diff_tuple(self) -> tuple[str, str]:
        """Show the note in ``alembic check``, too."""
        return ("note", self.text)


@renderers.dispatch_for(NoteOp)
def _render_note(_: AutogenContext, op: NoteOp) -> list[str]:
    return [f"# {line}" for line in wrap(op.text, 88)]


def render_item(kind: str, item: object, autogen: AutogenContext) -> str | bool:
    """Render types as what the database stores: revisions do not depend on later code.

    An enum is a string column, so that a new value needs no migration.
    """
    if kind == "type" and isinstance(item, Enum) and not item.native_enum:
        return f"sa.String(length={item.length})"
    if kind == "type" and isinstance(item, TypeDecorator) and _is_own(item):
        return repr_type(_stored(item, autogen.migration_context.dialect), autogen)
    return False


def _is_own(type_: TypeEngine[Any]) -> bool:
    return not type(type_).__module__.startswith("sqlalchemy.")


def _stored(type_: TypeDecorator[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return the type of the column, not the driver's variant of it, which has no public name."""
    stored = type_.load_dialect_impl(dialect)
    return stored if _is_own(stored) or type(stored).__name__.isupper() else stored.as_generic()


def no_notes(_: ops.MigrateOperation) -> Iterator[str]:
    """Yield nothing: this database has no notes of its own."""
    yield from ()


def review(
    _: MigrationContext,
    __: object,
    directives: list[ops.MigrationScript],
    more_notes: Callable[[ops.MigrateOperation], Iterator[str]] = no_notes,
) -> None:
    """Refuse models that cannot be compared, drop an empty revision, and add notes.

    ``more_notes`` yields the notes of one database about an operation on an existing table.
    """
    (script,) = directives
    metadata = context.get_context().opts["target_metadata"]
    if problems := list(_problems(metadata)):
        raise CommandError("; ".join(problems))
    if script.upgrade_ops is None:
        return
    if script.upgrade_ops.is_empty() and script.message is not None:
        directives.clear()
        _say("no changes found: no revision is written")
        return
    created = {it.table_name for it in script.upgrade_ops.ops if isinstance(it, ops.CreateTableOp)}
    _annotate(script.upgrade_ops, created, more_notes)


OPTIONS: dict[str, Any] = {
    "compare_server_default": True,
    "process_revision_directives": review,
    "render_item": render_item,
}


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _problems(metadata: MetaData) -> Iterator[str]:
    """Yield the problems of models that autogenerate would miss or could not build."""
    for table in metadata.tables.values():
        for column in table.columns:
            if _is_fixed_enum(column.type):
                yield (
                    f"{table.name}.{column.name}: write Mapped[YourEnum] without Enum(...): "
                    "a value that is added to a native enum or a CHECK would not be migrated"
                )
    _, unsorted = sort_tables_and_constraints(metadata.tables.values())[-1]
    for key in unsorted:
        if not key.use_alter:
            yield (
                f"{key.parent.name}.{key.column_keys[0]} closes a circle of foreign keys: write "
                f'ForeignKey("...", use_alter=True) there'
            )


def _is_fixed_enum(type_: TypeEngine[Any]) -> bool:
    kind = getattr(type_, "item_type", type_)
    return isinstance(kind, Enum) and (kind.native_enum or kind.create_constraint)


def _annotate(
    container: ops.OpContainer,
    created: set[str],
    more_notes: Callable[[ops.MigrateOperation], Iterator[str]],
) -> None:
    """Insert a note above each operation that needs attention; new tables have no rows."""
    for op in list(container.ops):
        if isinstance(op, ops.ModifyTableOps):
            _annotate(op, created, more_notes)
        if getattr(op, "table_name", "") in created:
            continue
        for text in (*_notes(op), *more_notes(op)):
            _say(f"review the new revision: {text}")
            container.ops.insert(container.ops.index(op), NoteOp(text))


def _notes(op: ops.MigrateOperation) -> Iterator[str]:
    """Yield what an operation needs that the models do not contain."""
    if isinstance(op, ops.AddColumnOp) and _is_required(op.column):
        yield (
            f"{op.table_name}.{op.column.name} is required, but existing rows have no value: add "
            "server_default=..., or add it with nullable=True, fill it, and then make it required."
        )
    if isinstance(op, ops.AlterColumnOp):
        yield from _notes_on_alteration(op)
    if isinstance(op, ops.ModifyTableOps):
        yield from _notes_on_dropped_columns(op)
    if isinstance(op, ops.DropTableOp):
        yield f"the table {op.table_name} is dropped with its rows: first deploy code without it."
    if isinstance(op, ops.CreateUniqueConstraintOp) or (
        isinstance(op, ops.CreateIndexOp) and op.unique
    ):
        columns = ", ".join(str(getattr(it, "name", it)) for it in op.columns)
        yield f"this fails if rows of {op.table_name} have the same {columns}: look for such rows."


def _is_required(column: Column[Any]) -> bool:
    filled = column.server_default or column.computed or column.identity
    return not (column.nullable or filled)


def _notes_on_alteration(op: ops.AlterColumnOp) -> Iterator[str]:
    name = f"{op.table_name}.{op.column_name}"
    if op.modify_nullable is False:
        yield f"{name} becomes required: update rows with NULL first, or this fails."
    old, new = op.existing_type, op.modify_type
    if old is not None and new is not None and old._type_affinity is not new._type_affinity:
        yield f"{name} changes its type: specify the conversion of values, see docs/schema.md."
    elif (getattr(old, "length", None) or 0) > (getattr(new, "length", None) or 2**31):
        yield f"{name} gets shorter: look for longer values, which the migration does not shorten."


def _notes_on_dropped_columns(op: ops.ModifyTableOps) -> Iterator[str]:
    added = [it.column.name for it in op.ops if isinstance(it, ops.AddColumnOp)]
    dropped = [it.column_name for it in op.ops if isinstance(it, ops.DropColumnOp)]
    if added and dropped:
        yield (
            f"if {', '.join(added)} is the new name of {', '.join(dropped)}, write "
            f'op.alter_column("{op.table_name}", "{dropped[0]}", new_column_name="{added[0]}"): '
            "dropping a column deletes its data."
        )
    elif dropped:
        names = ", ".join(f"{op.table_name}.{name}" for name in dropped)
        yield f"{names} is dropped with its data: first deploy code that does not read it."
