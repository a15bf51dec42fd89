"""Pods of the manifests, run as containers: the same image, command, variables, files and limits."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.combinations import Combination
from tests.deployment.engine import Engine
from tests.deployment.images import Container
from tests.deployment.kubernetes import Object, labels, objects, of_kind, pod

ENVIRONMENT = "production"
# What the manifests write, as `docker run` does.
UNITS = {"Mi": "m", "Gi": "g"}


@dataclass(frozen=True)
class Cluster:
    """What the pods of a service share: a network, a volume and secrets."""

    engine: Engine
    combination: Combination
    network: str
    secrets: Path

    @property
    def workloads(self) -> dict[str, Object]:
        """Return the Deployments and Jobs by their component."""
        found = of_kind(objects(self.combination, ENVIRONMENT), "Deployment", "Job")
        return {labels(one)["app.kubernetes.io/component"]: one for one in found}

    def options(self, component: str, container: Object) -> list[str]:
        """Return the options of `docker run` for a container of a pod."""
        specification = pod(self.workloads[component])
        user = specification["securityContext"]
        options = [
            *("--network", self.network, "--user", f"{user['runAsUser']}:{user['runAsGroup']}"),
            *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *("--memory", memory(container["resources"]["limits"]["memory"])),
        ]
        for name, value in self.variables(container).items():
            options += ["--env", f"{name}={value}"]
        volumes = {volume["name"]: volume for volume in specification["volumes"]}
        for mount in container["volumeMounts"]:
            options += self.mount(mount["mountPath"], volumes[mount["name"]])
        return options

    def variables(self, container: Object) -> dict[str, str]:
        """Return the settings of the ConfigMap, and the variables of the container itself."""
        (settings,) = of_kind(objects(self.combination, ENVIRONMENT), "ConfigMap")
        shared = settings["data"] if "envFrom" in container else {}
        return shared | {it["name"]: it["value"] for it in container.get("env", ())}

    def mount(self, path: str, volume: Object) -> list[str]:
        """Return the options that mount a volume of a pod."""
        if "emptyDir" in volume:
            return ["--tmpfs", f"{path}:mode=1777"]
        if "secret" not in volume:
            return ["--volume", f"{self.network}:{path}"]
        files = [item["key"] for item in volume["secret"]["items"]]
        return [
            word
            for name in files
            for word in ("--volume", f"{self.secrets / name}:{path}/{name}:ro")
        ]

    def start(self, component: str, image: str, *, initial: bool = False) -> Container:
        """Start a container of a pod: the one of the service, or the one that runs before it."""
        specification = pod(self.workloads[component])
        container = specification["initContainers" if initial else "containers"][0]
        name = f"{component}-{uuid4().hex[:8]}"
        command = container.get("command", [])
        options = self.options(component, container)
        self.engine.docker(
            *("run", "--detach", "--name", name, "--label", self.network, *options, image), *command
        )
        return Container(self.engine, name)

    def run(self, component: str, image: str) -> None:
        """Run the pod of a Job to its end; fail with its log unless it succeeds."""
        container = self.start(component, image)
        assert self.wait(container) == 0, container.logs()

    def wait(self, container: Container) -> int:
        """Wait until a container has ended; return its exit code."""
        return int(self.engine.docker("wait", container.name))


@contextmanager
def cluster(
    engine: Engine, combination: Combination, secrets: dict[str, str], folder: Path
) -> Generator[Cluster]:
    """Make a network, a volume and secrets; remove them with all containers in the end."""
    name = f"cluster-{uuid4().hex[:8]}"
    folder.chmod(0o755)
    for key, value in secrets.items():
        (folder / key).write_text(value, "utf-8")
        (folder / key).chmod(0o444)
    engine.docker("network", "create", name)
    engine.docker("volume", "create", name)
    try:
        yield Cluster(engine, combination, name, folder)
    finally:
        left = engine.docker("ps", "--all", "--quiet", "--filter", f"label={name}").split()
        if left:
            engine.docker("rm", "--force", "--volumes", *left)
        engine.docker("network", "rm", name)
        engine.docker("volume", "rm", name)


def memory(quantity: str) -> str:
    """Translate a quantity of Kubernetes, such as 320Mi."""
    return quantity[:-2] + UNITS[quantity[-2:]]


def mebibytes(quantity: str) -> int:
    """Return how many MiB a quantity in Mi is."""
    return int(quantity.removesuffix("Mi"))
