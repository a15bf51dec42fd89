"""Run the SQL files of procrastinate's own migrations in revisions."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy import text

DROP = """
DROP TABLE IF EXISTS procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs,
    procrastinate_workers CASCADE;
DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT oid FROM pg_proc
        WHERE proname LIKE 'procrastinate%' AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', routine);
    END LOOP;
END
$$;
DROP TYPE IF EXISTS procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""


def run_files(*, after: str, last: str) -> None:
    """Run the files whose names follow ``after``, up to ``last``.

    A file that adds values to an enum must be the last of its revision: before PostgreSQL 17 they
    cannot be used in the transaction that adds them.
    """
    for path in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
        if after < path.name <= last:
            run(path.read_text(encoding="utf-8"))


def drop_queue() -> None:
    """Drop the tables, types and functions of the queue, with the queued jobs."""
    run(DROP)


def run(script: str) -> None:
    """Run a script of several statements; escape colons, which are no parameters here."""
    op.execute(text(script.replace(":", r"\:")))
