"""The commands that `docs/deploying.md` shows for Kubernetes, with a stand-in for the cluster."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.combinations import DEFAULTS, Combination
from tests.deployment.kubernetes import IMAGE, Object, containers, of_kind, pod
from tests.programs import SCRIPTS, environment
from tests.servers import NEWEST, programs
from tests.services import Service
from tests.trees import tree

STANDINS = Path(__file__).parent / "standins"
SQLITE = DEFAULTS.but(deployment="kubernetes", auth=True, job_queue="in_process")
POSTGRESQL = DEFAULTS.but(
    deployment="kubernetes",
    database="postgresql",
    auth=True,
    rate_limit=True,
    job_queue="procrastinate",
)
SECRETS = {
    SQLITE: {"secret_key", "first_superuser_password"},
    POSTGRESQL: {
        *("database_url", "secret_key", "first_superuser_password", "rate_limit_storage_uri")
    },
}
BLOCK = re.compile(r"^```shell\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Owner:
    """A clone of a service, and what its owner's commands did to the cluster."""

    folder: Path
    cluster: Path

    def run(
        self, script: str, migration: str = "Complete", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script as it is shown."""
        servers = programs(NEWEST)  # pg_dump is as new as the server
        folders = [str(self.cluster / "bin"), str(servers), os.environ["PATH"]]
        path = os.pathsep.join(folders)
        given = {"PATH": path, "CLUSTER": str(self.cluster), "MIGRATION": migration}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment(**given, KUBECTL=str(SCRIPTS / "kubectl"), **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def deploy(self, *arguments: str, migration: str = "Complete") -> tuple[int, str]:
        """Run deploy.sh; return its exit code and what it said about an error."""
        words = " ".join(f"'{it}'" for it in arguments)
        done = self.run(f"deploy/kubernetes/deploy.sh {words}", migration)
        assert not list(self.folder.glob("deploy/kubernetes/release*"))
        return done.returncode, done.stderr.strip()

    @property
    def commands(self) -> list[str]:
        """Return the commands that kubectl and docker got."""
        file = self.cluster / "commands"
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def applied(self) -> list[list[Object]]:
        """Return the objects of each `kubectl apply`."""
        return [
            list(yaml.safe_load_all(path.read_text("utf-8")))
            for path in sorted(self.cluster.glob("applied.*.yaml"))
        ]


@pytest.fixture(params=[SQLITE, POSTGRESQL], ids=str)
def combination(request: pytest.FixtureRequest) -> Combination:
    return request.param


@pytest.fixture
def owner(combination: Combination, tmp_path: Path) -> Owner:
    shutil.copytree(tree(combination), tmp_path / "service")
    (tmp_path / "cluster" / "bin").mkdir(parents=True)
    for name in ("kubectl", "docker"):
        shutil.copy(STANDINS / name, tmp_path / "cluster" / "bin" / name)
    return Owner(tmp_path / "service", tmp_path / "cluster")


def blocks(owner: Owner) -> list[str]:
    """Return the commands of the page."""
    return BLOCK.findall((owner.folder / "docs/deploying.md").read_text("utf-8"))


def test_commands_of_the_page_run(
    owner: Owner, combination: Combination, tmp_path: Path, workplace: Path
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in SECRETS[combination]:
        (secrets / name).write_text("a secret", "utf-8")
    shown = blocks(owner)
    variables = {"SECRETS": str(secrets)}
    if combination["database"] == "postgresql":
        variables["DATABASE_URL"] = migrated_database(combination, workplace)
    outputs = []
    for block in shown:
        done = owner.run(block, **variables)
        assert done.returncode == 0, f"{block}{done.stderr}"
        outputs.append(done.stdout)
    rendered, created = (
        next(output for block, output in zip(shown, outputs, strict=True) if word in block)
        for word in ("kubectl kustomize", "create secret")
    )
    assert mounted(list(yaml.safe_load_all(rendered))) == SECRETS[combination]
    secret = yaml.safe_load(created)
    assert secret["data"].keys() == SECRETS[combination]
    assert any("rollout undo" in command for command in owner.commands)


def mounted(found: list[Object]) -> set[str]:
    """Return the keys of the Secret that pods read."""
    volumes = [it for one in of_kind(found, "Deployment", "Job") for it in pod(one)["volumes"]]
    return {item["key"] for it in volumes if "secret" in it for item in it["secret"]["items"]}


def migrated_database(combination: Combination, workplace: Path) -> str:
    """Return the address of a new database with the tables of a service."""
    service = Service.open(combination.but(deployment="docker"), workplace)
    url = service.new_database()
    service.run("alembic", "upgrade", "heads", DATABASE_URL=url)
    return url


def test_deploy_migrates_first_and_then_applies_the_image_of_the_release(
    owner: Owner, combination: Combination
) -> None:
    assert owner.deploy("production", IMAGE) == (0, "")
    everything = owner.applied()[-1]
    used = {
        it["image"]
        for one in of_kind(everything, "Deployment", "Job")
        for it in containers(pod(one))
    }
    assert used == {IMAGE}
    verbs = [
        word
        for it in owner.commands
        for word in it.split()
        if word in {"delete", "apply", "get", "rollout"}
    ]
    if combination["database"] == "postgresql":
        assert verbs == ["delete", "apply", "get", "get", "apply", "rollout", "rollout"]
        assert "--selector app.kubernetes.io/component notin (web, worker)" in owner.commands[2]
    else:
        assert verbs == ["apply", "rollout"]


@pytest.mark.parametrize("combination", [POSTGRESQL], indirect=True, ids=str)
def test_deploy_ends_with_the_log_of_a_migration_that_failed(owner: Owner) -> None:
    code, said = owner.deploy("staging", IMAGE, migration="FailureTarget Failed")
    assert code == 1
    assert said.splitlines() == [
        "the log of the migration",
        "The migration failed, so nothing else was deployed. Above is the end of its log.",
    ]
    assert len(owner.applied()) == 1
    assert not any("rollout" in command for command in owner.commands)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say where to deploy what"),
        (["base", IMAGE], "There is no environment base"),
        (["staging", "team/service"], "team/service has no tag and no digest"),
        (["staging", "registry:5000/team/service"], "has no tag and no digest"),
        (["staging", "team/service:latest"], "The tag latest moves"),
    ],
)
@pytest.mark.parametrize("combination", [SQLITE], indirect=True, ids=str)
def test_deploy_refuses_what_it_cannot_deploy(
    owner: Owner, arguments: list[str], sentence: str
) -> None:
    code, said = owner.deploy(*arguments)
    assert code == 1
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not owner.commands


@pytest.mark.parametrize("combination", [SQLITE], indirect=True, ids=str)
def test_deploy_takes_a_tag(owner: Owner) -> None:
    assert owner.deploy("staging", "registry:5000/team/service:1.0") == (0, "")
    (web,) = of_kind(owner.applied()[0], "Deployment")
    assert pod(web)["containers"][0]["image"] == "registry:5000/team/service:1.0"
