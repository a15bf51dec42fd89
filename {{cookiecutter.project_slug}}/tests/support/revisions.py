"""A release with one more revision than the service has."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core.config import Settings
from tests.support import ROOT, databases

CONFIGURATION = f"""
[tool.alembic]
script_location = "{ROOT}/migrations"
version_locations = ["{ROOT}/migrations/versions", "%(here)s/versions"]
prepend_sys_path = ["{ROOT}"]
"""
REVISION = '''\
"""A revision of the tests."""

import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = {heads}
branch_labels = None
depends_on = None


def upgrade() -> None:
{upgrade}'''


def next_release(folder: Path, settings: Settings) -> Config:
    """Return a configuration that finds revisions in a folder, too."""
    (folder / "versions").mkdir()
    (folder / "pyproject.toml").write_text(CONFIGURATION)
    config = Config(toml_file=folder / "pyproject.toml")
    config.attributes["settings"] = settings
    return config


def add_revision(folder: Path, upgrade: str) -> None:
    """Write a revision into that folder; ``upgrade`` is the body of its function, with its indent."""
    heads = ScriptDirectory.from_config(databases.ALEMBIC).get_heads()
    text = REVISION.format(heads=tuple(heads), upgrade=upgrade)
    (folder / "versions" / "next.py").write_text(text)
