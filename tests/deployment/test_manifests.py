"""The manifests of each combination of answers, without a cluster: kustomize, schemas, rules."""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils as schemas

from tests.combinations import DEFAULTS, Combination
from tests.deployment.kubernetes import (
    ENVIRONMENTS,
    FOLDER,
    IMAGE,
    Object,
    containers,
    labels,
    manifests,
    objects,
    of_kind,
    pod,
    questions,
    release,
    selects,
    variants,
)
from tests.environments import pyproject
from tests.programs import SCRIPTS, environment
from tests.services import Service
from tests.trees import TEMPLATE, read, tree

MINORS = ("1.34", "1.35", "1.36", "1.37")
CHECKOV = "checkov==3.3.30"  # in an environment of its own: it needs old versions of what we use
# Volumes that the Pod Security level "restricted" allows, of those that the manifests use.
VOLUMES = {"emptyDir", "persistentVolumeClaim", "secret"}
HASH = re.compile(r"settings-\w{10}")

VARIANTS = variants()
WITH_TESTS = [
    DEFAULTS.but(deployment="kubernetes", auth=True),
    DEFAULTS.but(deployment="kubernetes", database="postgresql", auth=True, rate_limit=True),
]
EXAMPLE = DEFAULTS.but(deployment="kubernetes", database="postgresql", job_queue="procrastinate")
everywhere = pytest.mark.parametrize("combination", VARIANTS, ids=str)


@pytest.fixture(params=ENVIRONMENTS)
def found(request: pytest.FixtureRequest, combination: Combination) -> list[Object]:
    return objects(combination, request.param)


def test_manifests_of_all_answers_are_checked() -> None:
    assert {"database", "auth", "rate_limit", "job_queue", "fan_out"} <= set(questions())
    texts = {release(combination, "production") for combination in VARIANTS}
    assert len(texts) > len(VARIANTS) / 2


def test_service_has_these_manifests() -> None:
    combination = VARIANTS[-1]
    service = tree(combination) / FOLDER
    assert read(service) == read(manifests(combination))


@cache
def distinct_objects() -> list[str]:
    """Return the objects of all combinations as JSON, equal ones once.

    Objects of staging differ from those of production in their namespace, or are listed, too.
    """
    return sorted(
        {
            HASH.sub("settings", json.dumps(one, sort_keys=True).replace(name, "production"))
            for combination in VARIANTS
            for name in ENVIRONMENTS
            for one in objects(combination, name)
        }
    )


@pytest.mark.parametrize("combination", WITH_TESTS, ids=str)
def test_service_tests_its_manifests(combination: Combination, workplace: Path) -> None:
    service = Service.open(combination, workplace)
    service.run("pytest", "-q", "tests/test_kubernetes.py")


def test_manifests_without_the_example(workplace: Path) -> None:
    """Nothing mounts the volume of the photos, and nothing may be reached but the database."""
    service = Service.open(EXAMPLE, workplace)
    service.run("python", "-m", "scripts.remove_example", "--force")
    text = service.run("kubectl", "kustomize", f"{FOLDER}/production")
    found = list(yaml.safe_load_all(text))
    assert not of_kind(found, "PersistentVolumeClaim")
    volumes = {it["name"] for one in of_kind(found, "Deployment") for it in pod(one)["volumes"]}
    assert volumes == {"secrets", "tmp"}
    assert "web-to-upstream" not in text
    service.run("pytest", "-q", "tests/test_kubernetes.py")


def test_objects_satisfy_the_strict_schemas_of_four_minor_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It would read megabytes of definitions again for each object.
    monkeypatch.setattr(schemas, "schema_contents", cache(schemas.schema_contents))
    for text in distinct_objects():
        for minor in MINORS:
            kubernetes_validate.validate(json.loads(text), minor, strict=True)


def test_schemas_refuse_a_misspelt_key() -> None:
    (service,) = of_kind(objects(VARIANTS[0], "staging"), "Service")
    service["spec"]["selectors"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="selectors"):
        kubernetes_validate.validate(service, MINORS[-1], strict=True)


@everywhere
def test_pods_are_restricted(found: list[Object]) -> None:
    """As https://kubernetes.io/docs/concepts/security/pod-security-standards/ defines it."""
    (namespace,) = of_kind(found, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in of_kind(found, "Deployment", "Job"):
        specification = pod(workload)
        assert not {"hostNetwork", "hostPID", "hostIPC"} & specification.keys()
        assert specification["automountServiceAccountToken"] is False
        assert specification["securityContext"]["runAsNonRoot"] is True
        assert specification["securityContext"]["runAsUser"] == user_of_image()
        assert specification["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for volume in specification["volumes"]:
            assert volume.keys() - {"name"} <= VOLUMES
        for container in containers(specification):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}


def user_of_image() -> int:
    """Return the user that the image is made for."""
    dockerfile = (TEMPLATE / "Dockerfile").read_text("utf-8")
    return int(re.findall(r"^USER (\d+)", dockerfile, re.MULTILINE)[-1])


@everywhere
def test_every_container_runs_the_image_of_the_release_and_mounts_what_it_names(
    found: list[Object],
) -> None:
    claims = {one["metadata"]["name"] for one in of_kind(found, "PersistentVolumeClaim")}
    settings = {one["metadata"]["name"] for one in of_kind(found, "ConfigMap")}
    for workload in of_kind(found, "Deployment", "Job"):
        volumes = {volume["name"]: volume for volume in pod(workload)["volumes"]}
        mounted: set[str] = set()
        for container in containers(pod(workload)):
            assert container["image"] == IMAGE
            assert "memory" in container["resources"]["limits"]
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            mounted |= {mount["name"] for mount in container.get("volumeMounts", ())}
            used = {source["configMapRef"]["name"] for source in container.get("envFrom", ())}
            assert used <= settings
            for variable in container.get("env", ()):
                if variable["name"].endswith("_FILE"):
                    key = variable["value"].rpartition("/")[2]
                    items = volumes["secrets"]["secret"]["items"]
                    assert {"key": key, "path": key} in items
        assert mounted == volumes.keys()
        used = {
            it["persistentVolumeClaim"]["claimName"]
            for it in volumes.values()
            if "persistentVolumeClaim" in it
        }
        assert used <= claims


@everywhere
def test_selectors_find_the_pods_that_they_mean(found: list[Object]) -> None:
    pods = {
        labels(it)["app.kubernetes.io/component"]: labels(it)
        for it in of_kind(found, "Deployment", "Job")
    }
    (service,) = of_kind(found, "Service")
    assert [name for name, own in pods.items() if selects(service["spec"]["selector"], own)] == [
        "web"
    ]
    for deployment in of_kind(found, "Deployment"):
        chosen = [
            own
            for own in pods.values()
            if selects(deployment["spec"]["selector"]["matchLabels"], own)
        ]
        assert chosen == [labels(deployment)]
    for budget in of_kind(found, "PodDisruptionBudget"):
        assert selects(budget["spec"]["selector"]["matchLabels"], pods["web"])
    for scaler in of_kind(found, "HorizontalPodAutoscaler"):
        (web,) = (it for it in of_kind(found, "Deployment") if labels(it) == pods["web"])
        assert scaler["spec"]["scaleTargetRef"]["name"] == web["metadata"]["name"]
        assert "replicas" not in web["spec"], "each release would undo what the autoscaler did"


@everywhere
def test_network_is_closed_but_for_what_a_service_needs(
    combination: Combination, found: list[Object]
) -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(found, "NetworkPolicy")}
    closed = policies.pop("default-deny")
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    incoming = [rule for policy in policies.values() for rule in policy.get("ingress", ())]
    served = ["http", "metrics"] if combination["telemetry"] else ["http"]
    assert sorted(port["port"] for rule in incoming for port in rule["ports"]) == served
    assert all(rule["from"] for rule in incoming)
    outgoing = [rule for policy in policies.values() for rule in policy.get("egress", ())]
    ports = {port["port"] for rule in outgoing for port in rule["ports"]}
    has_database = combination["database"] == "postgresql"
    wanted = {53}
    wanted |= {5432} if has_database else set()
    wanted |= {6379} if has_database and combination["rate_limit"] else set()
    wanted |= {465, 587} if combination["job_queue"] != "none" else set()
    wanted |= {443} if combination["fan_out"] else set()
    wanted |= {4318} if combination["telemetry"] else set()
    assert ports == wanted
    assert all(rule["to"] for rule in outgoing)


@everywhere
def test_each_pod_that_stays_has_the_port_that_prometheus_may_read(
    combination: Combination, found: list[Object]
) -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(found, "NetworkPolicy")}
    assert ("from-prometheus" in policies) == combination["telemetry"]
    ports = [
        {it["name"] for it in pod(one)["containers"][0].get("ports", ())}
        for one in of_kind(found, "Deployment")
    ]
    assert all(("metrics" in names) == combination["telemetry"] for names in ports)
    if combination["telemetry"]:
        assert policies["from-prometheus"]["podSelector"] == {}


@everywhere
def test_rollout_keeps_all_pods_but_with_a_file_as_database(
    combination: Combination, found: list[Object]
) -> None:
    web, *_ = of_kind(found, "Deployment")
    jobs = of_kind(found, "Job")
    first = pod(web)["initContainers"][0]
    if combination["database"] == "postgresql":
        assert web["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert [pod(job)["containers"][0]["command"] for job in jobs] == [["./prestart.sh"]]
        assert first["command"][-1] == "app.kit.db.migrations.wait"
    else:
        assert (web["spec"]["replicas"], web["spec"]["strategy"]) == (1, {"type": "Recreate"})
        assert not jobs
        assert not of_kind(found, "HorizontalPodAutoscaler", "PodDisruptionBudget")
        assert first["command"] == ["./prestart.sh"]


def test_checkov_finds_nothing_but_what_has_a_reason(tmp_path: Path) -> None:
    for number, text in enumerate(distinct_objects()):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(json.loads(text)), "utf-8")
    report = checkov(tmp_path)
    assert report["summary"]["parsing_errors"] == 0
    assert not report["results"]["failed_checks"]
    assert report["summary"]["passed"] > 1000
    skipped = {it["check_id"]: it["check_result"] for it in report["results"]["skipped_checks"]}
    assert skipped.keys() == {"CKV_K8S_8", "CKV_K8S_9", "CKV_K8S_11"}
    assert all(it["suppress_comment"] for it in skipped.values())


def test_checkov_finds_a_pod_that_may_get_more_rights(tmp_path: Path) -> None:
    text = release(VARIANTS[0], "production")
    spoilt = text.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    (tmp_path / "all.yaml").write_text(spoilt, "utf-8")
    failed = checkov(tmp_path)["results"]["failed_checks"]
    assert {it["check_id"] for it in failed} == {"CKV_K8S_20"}


def checkov(folder: Path) -> Object:
    """Return what checkov finds in the files of a folder."""
    until = pyproject(TEMPLATE.parent)["tool"]["uv"]["exclude-newer"]
    done = subprocess.run(
        [
            *(SCRIPTS / "uv", "tool", "run", "--quiet", "--exclude-newer", until, CHECKOV),
            *("--directory", folder, "--framework", "kubernetes", "--output", "json"),
            *("--skip-download", "--compact"),
        ],
        env=environment(PATH=os.environ["PATH"], BC_SKIP_MAPPING="TRUE"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
