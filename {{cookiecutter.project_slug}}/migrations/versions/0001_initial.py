"""Users and recipes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# {% if cookiecutter.database == "postgresql" %}
KEY = sa.BigInteger()
# {% else %}
# Holds 64 bits too, and is the only type whose keys SQLite numbers by itself.
KEY = sa.Integer()
# {% endif %}


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
        # {% if cookiecutter.database == "sqlite" %}
        sqlite_autoincrement=True,
        # {% endif %}
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
        # {% if cookiecutter.database == "sqlite" %}
        sqlite_autoincrement=True,
        # {% endif %}
    )
    op.create_index(op.f("ix_recipe_submitter_id"), "recipe", ["submitter_id"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("recipe")
    op.drop_table("user")
