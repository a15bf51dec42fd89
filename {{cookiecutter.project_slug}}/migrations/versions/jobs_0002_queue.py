"""The queue of procrastinate, by the package's own migrations."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "jobs_0002"
down_revision = "jobs_0001"
branch_labels = None
depends_on = None

# A release of procrastinate that changes its tables adds files after this one; a revision of its
# own then runs those.
LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"

DROP = """
DROP TABLE procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs,
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
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""


def upgrade() -> None:
    """Create the tables, types and functions of the queue."""
    for path in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
        if path.name <= LAST:
            run(path.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop all of it, with the jobs that wait."""
    run(DROP)


def run(script: str) -> None:
    """Run a script of several statements, in which a percent sign stands for itself."""
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))
