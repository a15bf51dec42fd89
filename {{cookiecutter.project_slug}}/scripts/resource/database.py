"""The revision of a resource: written by Alembic, applied, compared with the models, undone."""

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from scripts.resource import RefusedError


class Migrations:
    """The migrations in a folder, and the database of the settings.

    The folder's ``app`` must be the first that this process imports.
    """

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(folder))
        self._config = Config(toml_file=folder / "pyproject.toml", stdout=StringIO())
        self._script = ScriptDirectory.from_config(self._config)

    def prepare(self) -> None:
        """Apply all revisions; raise ``RefusedError`` if this is no developer's database."""
        with _sentences():
            self._check_environment()
            command.upgrade(self._config, "heads")

    def revise(self, table: str, message: str) -> tuple[str, Path]:
        """Write the revision that creates a table, and nothing else; return its id and path."""

        def check(_: MigrationContext, __: object, scripts: list[ops.MigrationScript]) -> None:
            operations = scripts[0].upgrade_ops
            others = sorted(_tables(operations.ops if operations else ()) - {table})
            if others:
                raise RefusedError(
                    f"the models of {', '.join(others)} differ from the database: run "
                    'make migration m="..." and make migrate first'
                )

        with _sentences():
            written = command.revision(
                self._config,
                message,
                autogenerate=True,
                head="heads",
                process_revision_directives=check,
            )
        if not isinstance(written, Script):
            raise RefusedError(f"the database has a table {table} already: drop it first")
        return written.revision, Path(written.path)

    def apply(self, revision: str) -> None:
        """Apply a revision and compare the database with the models; undo it if they differ."""
        with _sentences():
            command.upgrade(self._config, revision)
            try:
                command.check(self._config)
            except CommandError:
                self._downgrade(revision)
                raise

    def check_undo(self, revision: str) -> None:
        """Raise ``RefusedError`` if a later revision depends on this one."""
        with _sentences():
            later = self._get(revision).nextrev
        if later:
            raise RefusedError(
                f"the revision {', '.join(sorted(later))} depends on its revision {revision}: "
                "undo that first"
            )

    def undo(self, revision: str) -> bool:
        """Downgrade a revision; return False if the database does not have it."""
        with _sentences():
            self._check_environment()
            is_applied = revision in self._heads()
            if is_applied:
                self._downgrade(revision)
        return is_applied

    def _downgrade(self, revision: str) -> None:
        below = self._get(revision).down_revision
        target = below if isinstance(below, str) else below[0] if below else "base"
        command.downgrade(self._config, f"{revision}@{target}")

    def _get(self, revision: str) -> Script:
        found = self._script.get_revision(revision)
        if found is None:
            raise RefusedError(f"there is no revision {revision}")
        return found

    def _heads(self) -> set[str]:
        from app.core.config import load_settings
        from app.kit.db.engine import with_sync_connection

        heads: set[str] = set()

        def read(connection: Connection) -> None:
            heads.update(MigrationContext.configure(connection).get_current_heads())

        with_sync_connection(load_settings().database_url, read)
        return heads

    def _check_environment(self) -> None:
        from app.core.config import load_settings

        environment = load_settings().environment
        if environment != "local":
            raise RefusedError(
                f"ENVIRONMENT is {environment}: resources are made with a developer's database"
            )


def _tables(operations: Iterable[ops.MigrateOperation]) -> set[str]:
    return {
        getattr(operation, "table_name", None) or getattr(operation, "source_table", "")
        for operation in operations
    }


@contextmanager
def _sentences() -> Generator[None]:
    """Turn what can go wrong with a database into one sentence; drop Alembic's own messages."""
    try:
        with redirect_stdout(StringIO()):
            yield
    except CommandError as error:
        raise RefusedError(str(error)) from None
    except (DBAPIError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise RefusedError(
            f"the database does not answer, and the migration needs it ({reason}): start it first"
        ) from None
