"""Services take updates: those of either engine, with all that their owners changed."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.engines import settings, with_cookiecutter, with_copier
from tests.environments import PYTHON, sync
from tests.owner import DELETED, OWN_EDITS, OWN_FILES, OWN_LOCK, change_as_owner
from tests.programs import run
from tests.releases import (
    ADDED,
    BETWEEN,
    FIRST,
    LOCKS,
    NEUTRAL,
    NOTES,
    REMOVED,
    SECOND,
    edit,
    git,
    publish,
)
from tests.repositories import ANSWERS_FILE, Repository, stored_answers
from tests.services import QUICK

ENGINES = ("cookiecutter", "copier")
Updated = dict[str, tuple[Repository, str]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a template with two releases."""
    return publish(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def updated(url: str, tmp_path_factory: pytest.TempPathFactory) -> Updated:
    """Update a service of each engine that its owner had changed; tell what copier said."""
    services = {}
    for engine in ENGINES:
        service = Repository.born(engine, url, FIRST, tmp_path_factory.mktemp(engine))
        change_as_owner(service.folder)
        service.commit()
        services[engine] = service, service.update()
    return services


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_owner_did_is_kept(engine: str, updated: Updated) -> None:
    service, _ = updated[engine]
    for path, text in OWN_FILES.items():
        assert (service.folder / path).read_text(encoding="utf-8") == text, path
    for path, _, new in OWN_EDITS:
        assert service.says(path, new), path
    assert not (service.folder / DELETED).exists()
    assert (service.folder / "uv.lock").read_text(encoding="utf-8") == OWN_LOCK


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_new_arrives(engine: str, updated: Updated) -> None:
    service, said = updated[engine]
    for path in ADDED.keys() - LOCKS:
        assert service.says(path, ADDED[path]), path
    assert (service.folder / "status.sh").stat().st_mode & 0o111
    assert not [path for path in REMOVED if (service.folder / path).exists()]
    assert service.says("pyproject.toml", '"alembic<99,>=')
    assert service.says("app/core/config.py", "All settings;")
    assert stored_answers(service.folder).items() >= {("_commit", SECOND), ("notes", True)}
    assert not [line for line in service.status() if line.startswith("UU")]
    assert "uv run alembic upgrade heads" in said


def test_updated_services_of_both_engines_are_equal(updated: Updated) -> None:
    one, other = (service.contents() for service, _ in updated.values())
    assert one == other


def test_an_updated_service_migrates_and_passes_its_tests(
    updated: Updated, workplace: Path, tmp_path: Path
) -> None:
    """One stands for both engines, whose services are equal."""
    folder = shutil.copytree(updated["cookiecutter"][0].folder, tmp_path / "service")
    work_in = _environment(folder, workplace)
    for command in ("alembic upgrade heads", "alembic check", "ruff check", "ruff format --check"):
        work_in(*command.split())
    work_in("pytest", "-q", "-m", QUICK)


def test_a_feature_with_tables_takes_them_along(
    updated: Updated, workplace: Path, tmp_path: Path
) -> None:
    """Both it and the owner have revisions on top of the initial one."""
    service = Repository(shutil.copytree(updated["copier"][0].folder, tmp_path / "service"))
    work_in = _environment(service.folder, workplace)
    work_in("alembic", "upgrade", "heads")
    assert {"user", "recipe", "ix_recipe_label", "note"} <= _schema(service.folder)
    work_in("alembic", "downgrade", "notes@0001")
    assert {"user", "recipe", "ix_recipe_label"} <= _schema(service.folder)
    service.commit()
    service.update("--data=notes=false")
    assert not [path for path in NOTES if (service.folder / path).exists()]
    assert service.says("uv.lock", "[[package]]")
    work_in("alembic", "upgrade", "heads")
    work_in("alembic", "check")
    assert "note" not in _schema(service.folder)


def _environment(folder: Path, workplace: Path) -> Callable[..., str]:
    """Install what a service declares; return how to run its modules."""
    programs = sync(folder, workplace / PYTHON)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return lambda *command: run("python", "-m", *command, cwd=folder, PATH=path)


def _schema(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "app.db")) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_overlapping_edits_are_conflicts_and_locks_are_kept(url: str, tmp_path: Path) -> None:
    """What the template gives up goes even if it was edited: git shows it, and has it."""
    service = Repository.born("cookiecutter", url, FIRST, tmp_path, package_manager="poetry")
    path, changed = "app/api/api_v1/endpoints/user.py", "List users, the first ones first."
    edit(service.folder / path, "List users in the order of their ids.", changed)
    edit(service.folder / REMOVED[0], "root = true", "root = false")
    (service.folder / "poetry.lock").write_text(OWN_LOCK, encoding="utf-8")
    service.commit()
    said = service.update()
    assert "poetry lock" in said
    assert "poetry sync" in said
    assert {f"UU {path}", f" D {REMOVED[0]}"} <= set(service.status())
    assert service.says(path, "<<<<<<<", changed, "=======", "in their order", ">>>>>>>")
    assert (service.folder / "poetry.lock").read_text(encoding="utf-8") == OWN_LOCK
    git(service.folder, "reset", "--quiet", "--hard")
    git(service.folder, "clean", "--quiet", "--force", "-d")
    assert service.status() == []


@pytest.mark.parametrize("feature", ["fan_out", "timing_middleware"])
def test_a_feature_switched_off_and_on_leaves_no_trace(
    feature: str, url: str, tmp_path: Path
) -> None:
    service = Repository.born("cookiecutter", url, FIRST, tmp_path)
    with_it = service.contents()
    without = Repository.born("copier", url, FIRST, tmp_path / "without", **{feature: False})
    service.update("--vcs-ref=:current:", f"--data={feature}=false")
    assert service.contents() == without.contents()
    service.commit()
    service.update("--vcs-ref=:current:", f"--data={feature}=true")
    assert service.contents() == with_it


def test_answer_that_another_no_longer_allows_is_not_dropped(url: str, tmp_path: Path) -> None:
    """By itself copier would take the default in its place, and remove all jobs without a word."""
    answers = {"database": "postgresql", "job_queue": "procrastinate"}
    service = Repository.born("cookiecutter", url, FIRST, tmp_path, **answers)
    with pytest.raises(pytest.fail.Exception, match="procrastinate needs PostgreSQL"):
        service.update("--vcs-ref=:current:", "--data=database=sqlite")
    assert service.status() == []
    service.update("--vcs-ref=:current:", "--data=database=sqlite", "--data=job_queue=in_process")
    assert stored_answers(service.folder)["job_queue"] == "in_process"


def test_both_engines_store_the_same_answers(url: str, tmp_path: Path) -> None:
    answers = {"author_name": "O'Hara", "fan_out": False}
    one, other = (
        Repository.born(engine, url, FIRST, tmp_path / engine, **answers) for engine in ENGINES
    )
    assert one.contents() == other.contents()
    stored = stored_answers(one.folder)
    assert stored == stored | answers | {"_commit": FIRST, "_src_path": url}


@pytest.mark.parametrize("make", [with_cookiecutter, with_copier])
def test_answers_are_stored_as_they_were_given(make: Callable[..., Path], tmp_path: Path) -> None:
    answers = {
        "project_name": "\"Recipes\": 100 % \\ #1 'best' 🍲",
        "project_description": "- [a, b]: {c} & *d !e |f >g @h `i` \\n \u200d é #  ",
        "author_name": "null",
        "author_email": "1e3@example.com",
        "project_slug": "y",
        "package_manager": "poetry",
        "fan_out": False,
    }
    stored = stored_answers(make(answers, tmp_path))
    assert stored == stored | answers


def test_made_between_releases_it_says_what_an_update_needs(url: str, tmp_path: Path) -> None:
    service = Repository.born("cookiecutter", url, BETWEEN, tmp_path)
    assert service.says(ANSWERS_FILE, "in _commit the commit that this was made from")
    with pytest.raises(pytest.fail.Exception, match=rf"invalid reference: {SECOND}\.dev"):
        service.update()
    commit = git(tmp_path, "ls-remote", url.removeprefix("git+"), BETWEEN).split()[0]
    edit(service.folder / ANSWERS_FILE, f'_commit: "{SECOND}.dev"', f'_commit: "{commit}"')
    service.commit()
    service.update()
    released = Repository.born("cookiecutter", url, SECOND, tmp_path / "released")
    assert service.contents() == released.contents()


def test_cruft_goes_on_working(url: str, tmp_path: Path) -> None:
    options = ("--no-input", "--config-file", settings(), "--checkout", FIRST)
    _cruft("create", *options, url.removeprefix("git+"), cwd=tmp_path)
    service = Repository(tmp_path / "recipe-api")
    git(service.folder, "init", "--quiet", "--initial-branch=main")
    path, old, new = OWN_EDITS[2]
    edit(service.folder / path, old, new)
    service.commit()
    _cruft("update", "--skip-apply-ask", "--checkout", SECOND, cwd=service.folder)
    assert service.says(path, new, "All settings;")
    assert all(service.says(path, ADDED[path]) for path in ADDED.keys() - LOCKS)
    assert stored_answers(service.folder).items() >= {("_commit", SECOND), ("notes", True)}


def _cruft(*command: str | Path, cwd: Path) -> None:
    run("uvx", "--python", PYTHON, "cruft", *command, cwd=cwd, **NEUTRAL)


def test_a_resource_survives_an_update(url: str, workplace: Path, tmp_path: Path) -> None:
    """And is undone after it, by the program of the new release."""
    service = Repository.born("cookiecutter", url, FIRST, tmp_path)
    work_in = _environment(service.folder, workplace)
    service.commit()  # the lock
    work_in("scripts.resource", "add", "widget", "title:str(200)!", "maker:ref(user)")
    service.commit()
    service.update()
    service.commit()
    work_in = _environment(service.folder, workplace)
    work_in("alembic", "upgrade", "heads")
    for command in ("alembic check", "ruff check", "ruff format --check"):
        work_in(*command.split())
    work_in("pytest", "-q", "tests/test_widgets.py", "tests/test_architecture.py")
    work_in("scripts.resource", "undo", "widget")
    assert not [path for path in service.status() if not path.startswith((" M", " D"))]
    assert "Widget" not in "".join(
        path.read_text("utf-8") for path in (service.folder / "app").rglob("*.py")
    )
