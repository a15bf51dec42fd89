"""Remove the example, and this script with it: ``python -m scripts.remove_example``.

Marks show what belongs to it: lines that end with ``# example``, and blocks from a line that begins
with ``# example`` to ``# end of the example``. In README.md, the marks are HTML comments.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import Script

from scripts.working_tree import has_uncommitted_changes

ROOT = Path(__file__).parents[1]
WHOLE = [
    "app/api/api_v1/endpoints/recipe.py",
    "app/api/pages.py",
    "app/crud/crud_recipe.py",
    "app/db/sample_recipes.py",
    "app/models/recipe.py",
    "app/schemas/recipe.py",
    "app/static",
    "app/templates",
    "scripts/remove_example.py",
    "tests/support/recipes.py",
    "tests/test_recipes.py",
    # {% if cookiecutter.fan_out %}
    "app/api/api_v1/endpoints/dashboard.py",
    "app/api/api_v1/endpoints/ideas.py",
    "app/api/clients.py",
    "app/clients",
    "app/core/clients.py",
    "app/kit/upstream",
    "app/schemas/dashboard.py",
    "app/schemas/ideas.py",
    "demo",
    "tests/clients",
    "tests/kit/test_upstream.py",
    "tests/support/localhost.pem",
    "tests/support/upstream.py",
    # {% endif %}
    # {% if cookiecutter.fan_out and cookiecutter.telemetry %}
    "app/kit/telemetry/upstream.py",
    "tests/kit/telemetry/test_upstream.py",
    # {% endif %}
    # {% if cookiecutter.fan_out and cookiecutter.telemetry and cookiecutter.job_queue == "procrastinate" %}
    "tests/kit/telemetry/test_worker_upstream.py",
    # {% endif %}
    # {% if cookiecutter.fan_out and cookiecutter.deployment == "kubernetes" %}
    "deploy/kubernetes/base/network-upstream.yaml",
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    "app/api/api_v1/endpoints/photo.py",
    "app/core/photos.py",
    "app/jobs/photos.py",
    "app/kit/images.py",
    "tests/jobs",
    "tests/kit/test_images.py",
    # {% endif %}
]
MARKED = [".env.example", "AGENTS.md", "Makefile", "README.md", "pyproject.toml"]
MARKED_FOLDERS = ["app", "deploy", "tests"]
# {% if cookiecutter.job_queue != "none" and cookiecutter.deployment != "none" %}
MARKED += ["Dockerfile", "docs/deploying.md"]
# {% endif %}

BLOCK = re.compile(r"\n*^(# |<!-- )example\b(?:.*\n)+?\1end of the example\b.*", re.MULTILINE)
LINE = re.compile(r"^.*(?:# example|<!-- example -->)\n", re.MULTILINE)

MIGRATION = '''"""Drop the example."""

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down_revision!r}
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Drop recipes."""
    op.drop_table("recipe")


def downgrade() -> None:
    """Create the table of recipes again, without its rows."""
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
'''


def main() -> None:
    """Remove the example and print the next steps."""
    if "--force" not in sys.argv[1:] and has_uncommitted_changes(ROOT):
        sys.exit("Commit or stash your changes first, so that git can undo this; or add --force.")
    if users := sorted(refer_to_recipes()):
        sys.exit(f"Nothing was changed: {', '.join(users)} refers to recipes.")
    had_table = (ROOT / "app" / "models" / "recipe.py").exists()
    remove_files()
    remove_marked_lines()
    if had_table:  # not after an update that brought back only other parts
        write_migration()
    run("ruff", "check", "--fix", "--quiet")
    run("ruff", "format", "--quiet")
    if (ROOT / "openapi.json").exists():
        run("scripts.openapi")
    print("Removed. Now lock and install the dependencies again, and migrate the database.")


def refer_to_recipes() -> Iterator[str]:
    """Yield the models that refer to recipes, but are no part of the example."""
    for path in (ROOT / "app" / "models").glob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name not in WHOLE and '"recipe.id"' in path.read_text("utf-8"):
            yield name


def remove_files() -> None:
    """Remove the files and folders that belong to the example as a whole."""
    for name in WHOLE:
        path = ROOT / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove_marked_lines() -> None:
    """Remove the marked lines of other files."""
    for path in marked_files():
        text = path.read_text("utf-8")
        rest = LINE.sub("", BLOCK.sub("", text))
        if rest != text:
            path.write_text(rest, "utf-8", newline="\n")


def marked_files() -> Iterator[Path]:
    """Yield the files that may have marks."""
    for name in MARKED:
        if (ROOT / name).exists():
            yield ROOT / name
    for folder in MARKED_FOLDERS:
        for suffix in ("md", "py", "toml", "yaml"):
            yield from (ROOT / folder).rglob(f"*.{suffix}")


def write_migration() -> None:
    """Write the revision that drops the table; it needs no database."""
    config = Config(toml_file=ROOT / "pyproject.toml")
    script = command.revision(config, "drop the example", head="heads")
    if not isinstance(script, Script):
        raise TypeError(script)
    text = MIGRATION.format(revision=script.revision, down_revision=script.down_revision)
    Path(script.path).write_text(text, "utf-8", newline="\n")


def run(*command: str) -> None:
    """Run a program of this environment."""
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
