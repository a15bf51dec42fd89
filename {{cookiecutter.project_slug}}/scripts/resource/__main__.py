"""Add a resource to the service, or remove it: ``make resource`` and ``make resource-undo``.

A resource is a model with its migration, schemas, CRUD, endpoints, samples and tests, and its lines
in the lists of the service. Everything is made and migrated in a copy first, so a command that is
refused changes nothing. ``.resources/<name>.json`` records what was made; undoing removes exactly
that, or names the files that were changed by hand.
"""

import argparse
import difflib
import sys
from pathlib import Path

from scripts.openapi.document import FILE
from scripts.resource import RefusedError, service, tree
from scripts.resource.listing import new_files
from scripts.resource.record import Record, digest, read_text, write_text
from scripts.resource.resource import Resource
from scripts.resource.service import ROOT
from scripts.working_tree import has_uncommitted_changes


def add(arguments: argparse.Namespace) -> None:
    """Add a resource, or show what would be added."""
    name, fields = arguments.name, " ".join(arguments.fields)
    targets, sampled = service.targets(ROOT), service.sampled(ROOT)
    resource = Resource.parse(
        name,
        arguments.plural,
        fields,
        targets,
        sampled,
        sortable=arguments.sortable,
        versioned=arguments.versioned,
    )
    service.check_clashes(ROOT, resource)
    with tree.copied() as copy:
        if arguments.dry:
            added = tree.write(resource, copy)
            tree.tidy(copy, new_files(resource))
            show(copy, [*added, *new_files(resource)])
            print(f"migrations/versions/: Alembic will write the revision of {resource.table}")
            return
        if not arguments.force and has_uncommitted_changes(ROOT):
            raise RefusedError("commit or stash your changes first, so that git shows what is new")
        make(resource, fields, copy)
    print(f"Added {name} at /api/v1{resource.path}/: run make check, then look at git diff.")


def make(resource: Resource, fields: str, copy: Path) -> None:
    """Make the resource in the copy, move it into the service, and apply its revision."""
    from scripts.resource.database import Migrations

    added = tree.write(resource, copy)
    migrations = Migrations(copy)
    migrations.prepare()
    revision, path = migrations.revise(resource.table, f"add {resource.words_plural}")
    new = [*new_files(resource), path.relative_to(copy).as_posix()]
    tree.tidy(copy, new)
    record = Record(
        name=resource.name,
        table=resource.table,
        fields=fields,
        revision=revision,
        files={path: digest(copy / path) for path in new},
        lines=added,
    )
    before = {path: read_text(ROOT / path) for path in added}
    try:
        for name in (*new, *added):
            write_text(ROOT / name, read_text(copy / name))
        record.write(ROOT)
        migrations.apply(record.revision)
    except BaseException:
        record.remove(ROOT, before)
        raise
    write_document()


def undo(arguments: argparse.Namespace) -> None:
    """Remove a resource: downgrade its revision, and remove its files and lines."""
    from scripts.resource.database import Migrations

    record = Record.read(ROOT, arguments.name)
    before = record.restored(ROOT)
    for path in sorted((ROOT / "app" / "models").glob("*.py")):
        if f'"{record.table}.id"' in read_text(path) and path.stem != record.name:
            raise RefusedError(f"app/models/{path.name} refers to {record.name}: undo that first")
    migrations = Migrations(ROOT)
    migrations.check_undo(record.revision)
    was_applied = migrations.undo(record.revision)
    record.remove(ROOT, before)
    write_document()
    dropped = f"; the table {record.table} is dropped" if was_applied else ""
    print(f"Removed {record.name}{dropped}.")


def write_document() -> None:
    """Write ``openapi.json`` again, if the service has it.

    Another process would load again, for a second, most of what this one has loaded. Endpoints are
    not among that, so they are as the files are now.
    """
    if FILE.is_file():
        from scripts.openapi.__main__ import main

        main()


def show(copy: Path, paths: list[str]) -> None:
    """Print the differences between the service and the copy."""
    for path in sorted(paths):
        before, after = read_text(ROOT / path), read_text(copy / path)
        old = f"a/{path}" if before else "/dev/null"
        lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
        sys.stdout.writelines(difflib.unified_diff(*lines, old, f"b/{path}"))


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("python -m scripts.resource", description=__doc__)
    commands = parser.add_subparsers(required=True)
    adding = commands.add_parser("add", help="add a resource")
    adding.add_argument("name", help="such as book")
    adding.add_argument("fields", nargs="*", help='such as "title:str(200)!"')
    adding.add_argument("--plural", default="", help="if it is irregular")
    adding.add_argument("--sortable", action="store_true", help="clients sort and filter its list")
    adding.add_argument("--versioned", action="store_true", help="changes need If-Match")
    adding.add_argument("--dry", action="store_true", help="show the differences only")
    adding.add_argument("--force", action="store_true", help="despite uncommitted changes")
    adding.set_defaults(command=add)
    undoing = commands.add_parser("undo", help="remove a resource")
    undoing.add_argument("name")
    undoing.set_defaults(command=undo)
    return parser.parse_args(words)


if __name__ == "__main__":
    chosen = parse(sys.argv[1:])
    try:
        chosen.command(chosen)
    except RefusedError as refused:
        sys.exit(f"Nothing was changed: {refused}.")
