"""`compose.yaml` runs a service with all that it needs; backups hold every row."""

import json
import re
import socket
from collections.abc import Generator
from time import monotonic, sleep

import pytest

from tests.deployment.compose import COMPOSE, Project
from tests.deployment.conftest import Figures
from tests.deployment.engine import Engine
from tests.deployment.images import NAMED
from tests.resilience.document import USERS
from tests.resilience.load import count_bad, load

WITH_COMPOSE = [name for name, it in NAMED.items() if it["deployment"] == "docker"]
# A worker that changes nothing, so that all rows can be compared.
IDLE = {"services": {"worker": {"command": ["sleep", "600"]}}}
# Of docs/deploying.md.
SHOW_COMMAND = "exec -T service cat /run/secrets/first_superuser_password"
SECRETS = ("database_password", "first_superuser_password", "secret_key")


@pytest.fixture(scope="module", params=WITH_COMPOSE)
def project(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Project]:
    """Yield a service that one command has built and started."""
    folder = tmp_path_factory.mktemp("compose") / "recipe-api"
    project = Project.generate(engine, NAMED[request.param], folder, request.param)
    try:
        project.make("up")
        project.wait_until_healthy()
        project.introduce()
        yield project
    finally:
        project.remove()


def test_it_is_ready(project: Project) -> None:
    with project.client() as client:
        assert client.get("/health/ready").status_code == 200


def test_containers_are_restricted(project: Project) -> None:
    for identity in project.compose("ps", "--quiet").splitlines():
        host = project.engine.inspect(identity)["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"] and not host["CapAdd"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        ports = host["PortBindings"] or {}
        assert {it["HostIp"] for port in ports.values() for it in port} <= {"127.0.0.1"}


def test_no_variable_has_a_secret(project: Project) -> None:
    if not project.document.has_login:
        pytest.skip("this service has no secrets")
    secrets = [
        project.execute("service", "cat", f"/run/secrets/{name}").strip() for name in SECRETS
    ]
    assert len(set(secrets)) == len(SECRETS)
    document = (project.folder / "docs/deploying.md").read_text("utf-8")
    assert f"\ndocker compose {SHOW_COMMAND}\n" in document
    assert project.compose(*SHOW_COMMAND.split()).strip() in secrets
    assert all(len(secret) >= 40 for secret in secrets)
    for identity in project.compose("ps", "--quiet").splitlines():
        known = json.dumps(project.engine.inspect(identity))
        assert not [secret for secret in secrets if secret in known]
    first = project.execute("service", "stat", "--format", "%Y", "/run/secrets/secret_key")
    project.compose("up", "--detach")
    again = project.execute("service", "stat", "--format", "%Y", "/run/secrets/secret_key")
    assert first == again


def test_worker_runs_jobs(project: Project) -> None:
    if "/api/v1/tasks/" not in project.document.paths:
        pytest.skip("this service has no jobs")
    with project.client() as client:
        created = client.post("/api/v1/tasks/", json={"limit": 1000}).raise_for_status()
        give_up_at = monotonic() + 20
        while (job := client.get(created.headers["location"]).json())["status"] != "succeeded":
            assert monotonic() < give_up_at, job
            sleep(0.1)


def new_user(project: Project, address: str) -> None:
    with project.client() as client:
        body = {"name": "Ada", "email": address}
        if project.document.has_login:
            body["password"] = "a long password"  # noqa: S105 - of nobody
        client.post(USERS, json=body).raise_for_status()


def addresses(project: Project) -> set[str]:
    with project.client() as client:
        return {user["email"] for user in client.get(USERS).raise_for_status().json()["items"]}


def backup(project: Project) -> str:
    (folder,) = re.findall(r"Written: (\S+)", project.make("backup"))
    return folder


def test_backup_restored_into_an_empty_server_has_every_row(project: Project) -> None:
    for number in range(20):
        new_user(project, f"user{number}@example.com")
    has_worker = project.container("worker") != ""
    if has_worker:
        project.compose("stop", "worker")
    rows = project.rows()
    folder = backup(project)
    other = Project(project.engine, project.combination, project.folder, f"{project.name}-other")
    if has_worker:
        other.add_file("idle.yaml", IDLE)
    try:
        printed = other.make("restore", f"from={folder}")
        other.wait_until_healthy()
        restored = other.rows()
    finally:
        other.remove()
        project.compose("up", "--detach")
    assert f"Restored: {folder}" in printed
    assert sum(map(len, rows.values())) > 25
    assert restored == rows


def test_restore_keeps_the_data_before_it(project: Project) -> None:
    folder = backup(project)
    new_user(project, "late@example.com")
    printed = project.make("restore", f"from={folder}")
    project.wait_until_healthy()
    assert "late@example.com" not in addresses(project)
    (kept,) = re.findall(r"kept: (\S+)\.$", printed, re.MULTILINE)
    if project.combination["database"] == "postgresql":
        query = ("--command", 'SELECT email FROM "user"', kept)
        found = project.execute("db", "psql", "--username", "app", *query)
    else:
        program = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).iterdump())"
        found = project.execute("service", "python", "-c", program, f"{kept}/app.db")
    assert "late@example.com" in found


def test_unusable_backup_changes_nothing(project: Project) -> None:
    before = addresses(project)
    folder = project.folder / "backups/broken"
    folder.mkdir(parents=True)
    for name in ("database.dump", "database.db"):
        (folder / name).write_bytes(b"not a database")
    (folder / "files.tar").write_bytes(bytes(10_240))
    for name, sentence in {
        "backups/broken": "The backup could not be read",
        "backups/none": "Name a backup",
    }.items():
        done = project.attempt("make", f"COMPOSE={COMPOSE}", "restore", f"from={name}")
        assert done.returncode
        assert sentence in done.stdout
    assert addresses(project) == before


def test_migrations_can_be_undone_with_the_code_that_has_them(project: Project) -> None:
    """As `docs/deploying.md` says before a rollback; here with the revision that the database has."""
    shown = project.compose("run", "--rm", "migration", "alembic", "heads")
    heads = re.findall(r"^(\S+).* \(head\)$", shown, re.MULTILINE)
    assert heads
    for head in heads:
        project.compose("run", "--rm", "migration", "alembic", "downgrade", head)
    with project.client() as client:
        assert client.get("/health/ready").status_code == 200


def test_down_under_load_loses_nothing(project: Project, figures: Figures) -> None:
    with load(project) as clients:
        sleep(2)
        project.make("down")
    assert len(clients.answers) > 30
    lost = count_bad(clients.answers, 200, 201)
    text = f"{project.name}: requests lost at `make down` under load"
    figures.record(text, lost, 0)
    project.make("up")
    project.wait_until_healthy()
    stored = [answer.address for answer in clients.answers if answer.address is not None]
    assert len(stored) > 2
    text = json.dumps(project.rows()["user"])
    assert not [address for address in stored if address not in text]


def test_port_in_use_is_an_error(project: Project) -> None:
    if project.name != "default":
        pytest.skip("one service shows it")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = Project(
            project.engine, project.combination, project.folder, f"{project.name}-taken"
        )
        other.port = taken.getsockname()[1]
        try:
            done = other.attempt("make", f"COMPOSE={COMPOSE}", "up")
        finally:
            other.remove()
    assert done.returncode
    assert "address already in use" in done.stdout
