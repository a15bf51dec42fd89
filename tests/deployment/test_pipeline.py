"""The steps of every pipeline do what they say, in a clean checkout."""

import json
import re
import shutil
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.combinations import DEFAULTS, Combination
from tests.deployment.engine import Engine
from tests.deployment.images import SERVICES
from tests.deployment.osv import VULNERABILITY, database
from tests.deployment.runner import MACHINES, SYSTEMS, VALUES, Checkout

BY_POETRY = SERVICES[-1].but(deployment="kubernetes", ci="github")
# Every two answers to `ci`, `deployment` and `package_manager` meet.
VARIANTS = [
    DEFAULTS,
    DEFAULTS.but(database="postgresql", auth=True, ci="gitlab", deployment="kubernetes"),
    BY_POETRY,
    BY_POETRY.but(ci="gitlab", deployment="docker"),
    DEFAULTS.but(deployment="none"),
    DEFAULTS.but(ci="gitlab", deployment="none", package_manager="poetry"),
]
AT_A_TIME = 2

Machines = list[Checkout]
each = pytest.mark.parametrize("variant", VARIANTS, ids=str)


@pytest.fixture(scope="module")
def started(engine: Engine) -> Generator[dict[Combination, Future[Machines]]]:
    """Start all pipelines, of which several run at a time."""
    shutil.rmtree(MACHINES, ignore_errors=True)
    with database() as known, ThreadPoolExecutor(AT_A_TIME) as pool:
        # Services are generated before, because cookiecutter changes the working directory.
        checkouts = {variant: Checkout.new(engine, variant, known) for variant in VARIANTS}
        pipelines = {
            variant: pool.submit(SYSTEMS[str(variant["ci"])], checkout)
            for variant, checkout in checkouts.items()
        }
        yield pipelines
        for pipeline in pipelines.values():
            if not pipeline.exception():
                pipeline.result()[-1].take_down()


@pytest.fixture
def machines(variant: Combination, started: dict[Combination, Future[Machines]]) -> Machines:
    """Return the machines that have run a pipeline, first that of the check."""
    return started[variant].result()


@each
def test_steps_succeed_and_leave_the_checkout_clean(machines: Machines) -> None:
    for machine in machines:
        machine.run('test -z "$(git status --porcelain)"')


@each
def test_sbom_lists_what_the_service_runs_on(machines: Machines) -> None:
    sbom = json.loads((machines[0].folder / "sbom.cdx.json").read_text("utf-8"))
    assert sbom["bomFormat"] == "CycloneDX"
    names = {component["name"] for component in sbom["components"]}
    assert {"fastapi", "sqlalchemy", "uvicorn"} <= names
    assert not {"pytest", "ruff", "schemathesis"} & names


@each
def test_audit_asks_about_all_dependencies(machines: Machines) -> None:
    assert {"fastapi", "pytest", "sqlalchemy", "uvicorn"} <= machines[0].database.asked


@pytest.mark.parametrize("variant", [DEFAULTS, BY_POETRY], ids=str)
def test_known_vulnerability_fails_the_audit(variant: Combination, machines: Machines) -> None:
    (check, *_) = machines
    ignore = {"uv": "--ignore", "poetry": "--ignore-vuln"}[str(variant["package_manager"])]
    with database("mako") as known:
        flags = known.flags(variant["package_manager"])
        found = check.attempt("make audit", AUDIT_FLAGS=flags)
        ignored = check.attempt("make audit", AUDIT_FLAGS=f"{flags} {ignore} {VULNERABILITY}")
    assert found.returncode
    assert VULNERABILITY in found.stdout
    assert not ignored.returncode, ignored.stdout


@pytest.mark.parametrize("variant", [DEFAULTS], ids=str)
def test_missing_lock_is_refused_in_one_sentence(machines: Machines) -> None:
    lock = machines[0].folder / "uv.lock"
    kept = lock.rename(lock.with_suffix(".kept"))
    try:
        refused = machines[0].attempt("make setup", UV_LOCKED="1")
    finally:
        kept.rename(lock)
    assert refused.returncode
    assert "Unable to find lockfile" in refused.stdout


@pytest.mark.parametrize("variant", [DEFAULTS, BY_POETRY], ids=str)
@pytest.mark.parametrize(
    ("path", "text", "other", "fault"),
    [
        (
            "app/models/user.py",
            "String(255)",
            "String(99), unique=True",
            "The migrations do not fit",
        ),
        ("migrations/versions/0001_initial.py", 'op.drop_table("user")', "pass", "exists"),
    ],
    ids=["model", "downgrade"],
)
def test_migration_that_does_not_fit_is_named(
    machines: Machines, path: str, text: str, other: str, fault: str
) -> None:
    (check, *_) = machines
    file = check.folder / path
    original = file.read_text("utf-8")
    assert text in original
    file.write_text(original.replace(text, other, 1), "utf-8")
    try:
        refused = check.attempt("make check-migrations")
    finally:
        file.write_text(original, "utf-8")
    assert refused.returncode
    (said,) = re.findall("^The migrations do not fit: .*", refused.stdout, re.MULTILINE)
    assert fault in said


@pytest.mark.parametrize(
    "variant", [it for it in VARIANTS if it["deployment"] == "docker"], ids=str
)
def test_commit_is_deployed_on_a_host(machines: Machines) -> None:
    deployed = machines[-1]
    (container,) = deployed.containers("service")
    assert container["State"]["Health"]["Status"] == "healthy"
    assert container["Config"]["Image"] == f"recipe-api:{deployed.commit}"
    assert "ENVIRONMENT=production" in container["Config"]["Env"]
    label = "org.opencontainers.image.revision"
    assert container["Config"]["Labels"][label] == deployed.commit
    key = deployed.home / ".ssh/id_ed25519"
    assert key.read_text("utf-8") == VALUES["secrets.DEPLOY_KEY"] + "\n"
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "variant", [it for it in VARIANTS if it["deployment"] == "kubernetes"], ids=str
)
def test_commit_is_deployed_in_a_cluster(machines: Machines) -> None:
    """No cluster can be had here: what is sent to it is tested in test_manifests.py."""
    calls = [call for machine in machines for call in machine.calls]
    (pushed,) = [call.split()[2] for call in calls if call.startswith("docker push")]
    assert pushed.endswith(f"/recipe-api:{machines[0].commit}")
    assert any(call.startswith("kubectl apply") for call in calls)
    configuration = machines[-1].home / ".kube/config"
    assert configuration.read_text("utf-8") == VALUES["secrets.KUBE_CONFIG"] + "\n"
    assert configuration.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "Say where to run which version: deploy/host.sh ssh://deploy@example.com VERSION"),
        ("'' 1", "Say where to run which version: deploy/host.sh ssh://deploy@example.com VERSION"),
        ("deploy@example.com 1", "The host needs a scheme: ssh://deploy@example.com"),
    ],
)
@pytest.mark.parametrize("variant", [DEFAULTS], ids=str)
def test_wrong_hosts_are_refused_in_one_sentence(
    machines: Machines, arguments: str, sentence: str
) -> None:
    refused = machines[-1].attempt(f"deploy/host.sh {arguments}")
    assert refused.returncode
    assert refused.stdout == f"{sentence}\n"
