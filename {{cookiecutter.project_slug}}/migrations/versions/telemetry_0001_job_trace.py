"""The traces of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "telemetry_0001"
down_revision = "jobs_0001"
branch_labels = ("telemetry",)
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "job_trace",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("queued_by", sa.String(55), nullable=False),
        sa.Column("tried_by", sa.String(55), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_trace")),
        sa.UniqueConstraint("job_id", name=op.f("uq_job_trace_job_id")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_job_trace_job_id_job"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop the table; jobs stay."""
    op.drop_table("job_trace")
