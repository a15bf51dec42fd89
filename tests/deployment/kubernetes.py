"""The manifests of services as kustomize renders them."""

import json
import re
import shutil
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from filelock import FileLock

from tests.combinations import AXES, DEFAULTS, Combination, context, is_refused
from tests.engines import copy_template
from tests.programs import run
from tests.trees import BUILD, TEMPLATE, forest, make_room, rendered

FOLDER = "deploy/kubernetes"
ENVIRONMENTS = ("staging", "production")
ANSWER = re.compile(r"cookiecutter\.([a-z]\w*)")
IMAGE = "registry.example.com/team/service@sha256:" + 64 * "a"
# As deploy.sh adds the image of a release.
RELEASE = f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../{{}}]
images: [{{{{name: service, newName: "{IMAGE.partition("@")[0]}", digest: "{IMAGE.partition("@")[2]}"}}}}]
"""
Object = dict[str, Any]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def questions() -> list[str]:
    """Return the questions whose answers change a manifest."""
    texts = [path.read_text("utf-8") for path in (TEMPLATE / FOLDER).rglob("*") if path.is_file()]
    named = {name for text in texts for name in ANSWER.findall(text)}
    only_with = context(DEFAULTS)["_only_with"].items()
    for question, answers in only_with:
        if any(path.startswith(f"{FOLDER}/") for paths in answers.values() for path in paths):
            named.add(question)
    return [question for question in AXES if question in named]


def variants() -> list[Combination]:
    """Return a combination for each set of manifests; other answers have their defaults."""
    asked = questions()
    crossed = [
        DEFAULTS.but(deployment="kubernetes", **dict(zip(asked, answers, strict=True)))
        for answers in product(*(AXES[question] for question in asked))
    ]
    return [combination for combination in crossed if not is_refused(combination)]


@cache
def template_of_manifests() -> Path:
    """Return a template that has nothing but the manifests: a tenth of the time of a service."""
    folder = BUILD / "manifests" / forest().name
    make_room(folder)
    source = folder / "template"
    with FileLock(folder / ".template.lock"):
        if not source.is_dir():
            unfinished = folder / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            copy_template(unfinished)
            shutil.rmtree(unfinished / TEMPLATE.name)
            shutil.copytree(TEMPLATE / FOLDER, unfinished / TEMPLATE.name / FOLDER)
            unfinished.rename(source)
    return source


@cache
def manifests(combination: Combination) -> Path:
    """Return the folder of the manifests of a service; tests must not change it."""
    source = template_of_manifests()
    return rendered(combination, source.parent, source) / FOLDER


@cache
def release(combination: Combination, environment: str) -> str:
    """Return the manifests of an environment with the image of a release, rendered once."""
    folder = manifests(combination)
    made = template_of_manifests().parent / f".{combination.name}.{environment}.yaml"
    with FileLock(f"{made}.lock"):
        if not made.exists():
            with TemporaryDirectory(dir=folder) as overlay:
                text = RELEASE.format(environment)
                (Path(overlay) / "kustomization.yaml").write_text(text, "utf-8")
                text = run("kubectl", "kustomize", overlay, cwd=folder)
                unfinished = Path(overlay) / "release"
                unfinished.write_text(text, "utf-8")
                unfinished.rename(made)
    return made.read_text("utf-8")


def objects(combination: Combination, environment: str) -> list[Object]:
    """Return the objects of a release."""
    return json.loads(_as_json(combination, environment))


@cache
def _as_json(combination: Combination, environment: str) -> str:
    # libyaml takes a tenth of the time of the parser in Python, and JSON a tenth of that.
    return json.dumps(list(yaml.load_all(release(combination, environment), LOADER)))


def of_kind(found: list[Object], *kinds: str) -> list[Object]:
    """Return the objects of these kinds."""
    return [it for it in found if it["kind"] in kinds]


def pod(workload: Object) -> Object:
    """Return the specification of the pods of a Deployment or a Job."""
    return workload["spec"]["template"]["spec"]


def containers(specification: Object) -> list[Object]:
    """Return the containers of a pod, those that run before the others included."""
    return specification.get("initContainers", []) + specification["containers"]


def labels(workload: Object) -> dict[str, str]:
    """Return the labels of the pods of a Deployment or a Job."""
    return workload["spec"]["template"]["metadata"]["labels"]


def selects(selector: dict[str, str], pod_labels: dict[str, str]) -> bool:
    """Return whether labels match a selector."""
    return selector.items() <= pod_labels.items()
