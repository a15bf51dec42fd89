"""Alembic on the service's own settings and engine."""

from alembic import context
# {% if cookiecutter.database == "sqlite" %}
from sqlalchemy import Connection, Table, event
# {% else %}
from sqlalchemy import Connection
# {% endif %}

from app.core.config import load_settings
from app.db.base import Base
from app.kit.db.engine import with_sync_connection


# {% if cookiecutter.database == "sqlite" %}
@event.listens_for(Table, "before_create")
def give_no_id_twice(table: Table, *_: object, **__: object) -> None:
    """Let copies of tables number their rows as the originals do: Alembic does not see how."""
    if len(table.primary_key) == 1:
        table.dialect_options["sqlite"]["autoincrement"] = True


# {% endif %}
def run(connection: Connection) -> None:
    """Apply what was asked for in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # {% if cookiecutter.job_queue == "procrastinate" %}
        # The tables of the queue have no models.
        include_name=lambda name, *_: not (name or "").startswith("procrastinate_"),
        # {% endif %}
        # {% if cookiecutter.database == "sqlite" %}
        # SQLite alters a table by copying it.
        render_as_batch=True,
        transactional_ddl=True,  # it can, though Alembic does not rely on it
        # {% endif %}
    )
    with context.begin_transaction():
        # Processes that start together queue here, and all but the first find nothing to do.
        # {% if cookiecutter.database == "sqlite" %}
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        # {% else %}
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8001)")
        # {% endif %}
        context.run_migrations()


with_sync_connection(context.config.attributes.get("url") or load_settings().database_url, run)
