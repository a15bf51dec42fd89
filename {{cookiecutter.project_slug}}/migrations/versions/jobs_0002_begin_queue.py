"""The queue of procrastinate, by the package's own migrations: up to the one that extends an enum."""

from migrations.procrastinate_sql import drop_queue, run_files

revision = "jobs_0002_begin"
down_revision = "jobs_0001"
branch_labels = None
depends_on = None

LAST = "02.06.00_01_add_cancel_states.sql"


def upgrade() -> None:
    """Create the tables, types and functions of the queue."""
    run_files(after="", last=LAST)


def downgrade() -> None:
    """Drop all of it, with the queued jobs."""
    drop_queue()
