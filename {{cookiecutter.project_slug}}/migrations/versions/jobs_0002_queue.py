"""The queue of procrastinate, by the package's own migrations."""

from migrations.procrastinate_sql import drop_queue, run_files

revision = "jobs_0002"
down_revision = "jobs_0002_begin"
branch_labels = None
depends_on = None

BEGUN = "02.06.00_01_add_cancel_states.sql"
# A release of procrastinate that changes its tables adds files after this one; run them in a new
# revision.
LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"


def upgrade() -> None:
    """Bring the tables, types and functions of the queue up to date."""
    run_files(after=BEGUN, last=LAST)


def downgrade() -> None:
    """Create the queue of the previous revision again, without jobs."""
    drop_queue()
    run_files(after="", last=BEGUN)
