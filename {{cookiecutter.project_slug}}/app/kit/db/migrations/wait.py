"""Wait until the database is migrated: ``python -m app.kit.db.migrations.wait``.

The pods of a new release run this before the service starts, in the folder of ``pyproject.toml``.
"""

import logging
from time import monotonic, sleep

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.kit.db.dialect import dialect
from app.kit.db.engine import with_sync_connection
from app.kit.db.settings import DatabaseSettings
from app.kit.db.wait import wait_for_database
from app.kit.logging import run_logged
from app.kit.settings import read_settings

logger = logging.getLogger(__name__)

# As long as a migration may take: activeDeadlineSeconds in migration.yaml.
TIMEOUT_SECONDS = 600
POLL_SECONDS = 1


def main() -> None:
    """Return when the database has the schema of this release."""
    settings = read_settings(DatabaseSettings)
    wait_for_database(settings)
    script = ScriptDirectory.from_config(Config(toml_file="pyproject.toml"))
    wait_for_migration(settings, script)


def wait_for_migration(
    settings: DatabaseSettings, script: ScriptDirectory, timeout_seconds: float = TIMEOUT_SECONDS
) -> None:
    """Return when the revisions are applied; raise ``SystemExit`` after the timeout."""
    give_up_at = monotonic() + timeout_seconds
    logger.info("waiting for the migration")
    while not is_migrated(script, applied := applied_revisions(settings)):
        if monotonic() >= give_up_at:
            needed, found = (", ".join(sorted(it)) for it in (script.get_heads(), applied))
            raise SystemExit(
                f"The database was not migrated in {timeout_seconds:g} s: this release needs "
                f"{needed}, applied is {found or 'nothing'}. See the log of the migration."
            )
        sleep(POLL_SECONDS)
    logger.info("the database is migrated")


def is_migrated(script: ScriptDirectory, applied: set[str]) -> bool:
    """Return whether these revisions are the latest of this release, or those of a newer release.

    A newer release may have migrated before a rollback to this one; its revisions are unknown here.
    """
    known = {revision.revision for revision in script.walk_revisions()}
    latest = set(script.get_heads())
    is_newer = not applied <= known
    return applied & known <= latest and (is_newer or applied == latest)


def applied_revisions(settings: DatabaseSettings) -> set[str]:
    """Return the latest applied revision of each branch; none while the database is away."""
    applied: set[str] = set()

    def read(connection: Connection) -> None:
        applied.update(MigrationContext.configure(connection).get_current_heads())

    try:
        with_sync_connection(settings.database_url, read, dialect.connect_args(settings))
    except (SQLAlchemyError, OSError):
        logger.warning("the database does not answer")
    return applied


if __name__ == "__main__":
    run_logged(main)
