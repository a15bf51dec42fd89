"""Two releases of the template, one after the other, in a git repository made by the tests."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

from tests.combinations import ROOT
from tests.engines import LEFT_BY_PROGRAMS, template
from tests.programs import run

FIRST, SECOND = "v0.1.0", "v0.2.0"
BETWEEN = "between"  # a branch
TREE = "{{cookiecutter.project_slug}}"
# Nobody's settings take part, and none are changed.
NEUTRAL = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
}
# A question that the second release adds, with tables of its own.
NOTE_MODEL = '''\
"""Notes."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class Note(Base):
    """A remark."""

    text: Mapped[str] = mapped_column(String(255))
'''
NOTE_TABLE = """\
op.create_table(
        "note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )"""
REVISION = '''\
"""A revision of the tests."""

import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = "0001"
branch_labels = {labels}
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    {upgrade}


def downgrade() -> None:
    """Undo it."""
    {downgrade}
'''


def revision(name: str, upgrade: str, downgrade: str, labels: tuple[str, ...] | None = None) -> str:
    """Return the text of a revision that follows the first one of a service."""
    labels_text = str(labels).replace("'", '"')
    text = REVISION.format(name=name, labels=labels_text, upgrade=upgrade, downgrade=downgrade)
    return text if "sa." in upgrade else text.replace("import sqlalchemy as sa\n", "")


NOTES = {
    "app/models/note.py": NOTE_MODEL,
    "migrations/versions/note_0001.py": revision(
        "note_0001", NOTE_TABLE, 'op.drop_table("note")', ("notes",)
    ),
}
LOCKS = ("poetry.lock", "uv.lock")
ADDED = {
    **NOTES,
    **dict.fromkeys(LOCKS, "# shipped\n"),
    "status.sh": "#!/usr/bin/env bash\ngit status\n",
}
REMOVED = (".editorconfig", ".pre-commit-config.yaml")


def git(folder: Path, *command: str) -> str:
    """Run git in a repository of the tests."""
    return run("git", *command, cwd=folder, **NEUTRAL)


def edit(file: Path, old: str, new: str) -> None:
    """Replace the only place that says ``old``."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file}: {text.count(old)} times {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def newest_release() -> str:
    """Return the newest tag in the history of this checkout; empty if it has none."""
    tags = run("git", "tag", "--list", "v*", "--sort=-version:refname", "--merged=HEAD", cwd=ROOT)
    return tags.partition("\n")[0]


def publish(folder: Path) -> str:
    """Publish the newest release of the template, and one to come; return the address.

    Where there is no release yet, the working tree is both.
    """
    bare, work = folder / "template.git", folder / "work"
    url = f"git+file://{bare}"
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch=main")
    _put_newest_release(work)
    _commit(work, FIRST, url)
    git(work, "tag", FIRST)
    git(work, "rm", "--quiet", "-r", ".")
    _put_working_tree(work)
    _commit(work, f"{SECOND}.dev", url)
    git(work, "branch", BETWEEN)
    _improve(work)
    _commit(work, SECOND, url)
    git(work, "tag", SECOND)
    git(folder, "clone", "--quiet", "--bare", str(work), str(bare))
    return url


def _put_newest_release(work: Path) -> None:
    if release := newest_release():
        archive = work.parent / "release.tar"
        run("git", "archive", f"--output={archive}", release, cwd=ROOT)
        shutil.unpack_archive(archive, work, filter="data")
    else:
        _put_working_tree(work)


def _put_working_tree(work: Path) -> None:
    shutil.copytree(template(), work, dirs_exist_ok=True)
    shutil.copytree(ROOT / "tools", work / "tools", ignore=LEFT_BY_PROGRAMS)


def _commit(work: Path, stamp: str, url: str) -> None:
    declaration = work / "cookiecutter.json"
    text = declaration.read_text(encoding="utf-8")
    for key, value in {"_release": stamp, "_origin": url}.items():
        text, count = re.subn(rf'"{key}": ".*?"', f'"{key}": "{value}"', text)
        assert count == 1, key
    declaration.write_text(text, encoding="utf-8")
    run(sys.executable, "tools/sync_copier.py", cwd=work)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", f"--message={stamp}")


def _improve(work: Path) -> None:
    """Change, add and remove files, add a question and what depends on it, raise a dependency."""
    declaration, tree = work / "cookiecutter.json", work / TREE
    edit(declaration, '"timing_middleware": true,', '"timing_middleware": true,\n  "notes": true,')
    edit(declaration, '"__prompts__": {', '"__prompts__": {\n    "notes": "Keep notes?",')
    only = json.dumps({"true": sorted(NOTES)})
    edit(declaration, '"_only_with": {', f'"_only_with": {{\n    "notes": {only},')
    for path, text in ADDED.items():
        (tree / path).write_text(text, encoding="utf-8")
    (tree / "status.sh").chmod(0o755)
    for path in REMOVED:
        (tree / path).unlink()
    _register_note(tree / "app/db/base.py")
    edit(tree / "pyproject.toml", '"alembic>=', '"alembic<99,>=')
    edit(tree / "app/core/config.py", "The service's settings;", "All settings;")
    edit(tree / "app/api/api_v1/endpoints/user.py", "in the order of their ids", "in their order")


def _register_note(base: Path) -> None:
    tags = "# {{% if cookiecutter.notes %}}\n{}\n# {{% endif %}}\n"
    model = "from app.models.recipe import Recipe"
    edit(base, model, tags.format("from app.models.note import Note") + model)
    edit(base, '    "Base",\n', '    "Base",\n' + tags.format('    "Note",'))
