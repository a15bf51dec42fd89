"""Users and recipes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "user",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "recipe",
        sa.Column("id", KEY, nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("submitter_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipe")),
        sa.ForeignKeyConstraint(
            ["submitter_id"], ["user.id"], name=op.f("fk_recipe_submitter_id_user")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_recipe_submitter_id"), "recipe", ["submitter_id"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("recipe")
    op.drop_table("user")
