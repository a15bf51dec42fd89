"""Run Alembic with the service's settings, engine and models."""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from app.core.config import load_settings
from app.db.base import Base
from app.kit.db.engine import with_sync_connection
# {% if cookiecutter.database == "sqlite" %}
from app.kit.db.migrations import sqlite as runner
# {% else %}
from app.kit.db.migrations import postgresql as runner
# {% endif %}
from app.kit.db.migrations.review import OPTIONS
from app.kit.logging import configure_logging

options: dict[str, Any] = OPTIONS | runner.OPTIONS | {"target_metadata": Base.metadata}
# {% if cookiecutter.job_queue == "procrastinate" %}
# The tables of the queue have no models.
options["include_name"] = lambda name, *_: not (name or "").startswith("procrastinate_")
# {% endif %}


def run(connection: Connection) -> None:
    """Run Alembic's command."""
    context.configure(connection=connection, **options)
    runner.migrate(connection, settings)


if context.is_offline_mode():  # `alembic upgrade heads --sql` needs no database
    context.configure(
        dialect_name=runner.DIALECT,
        dialect_opts={"paramstyle": "named"},  # or each percent sign would be doubled
        literal_binds=True,
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    if context.config.cmd_opts:  # on the command line, in its own process
        configure_logging("WARNING")
    settings = context.config.attributes.get("settings") or load_settings()
    with_sync_connection(settings.database_url, run, runner.CONNECT_ARGS)
