"""`compose.yaml` starts a service fast. This is measured, so nothing else may run meanwhile."""

from time import monotonic

import pytest

from tests.deployment.compose import Project
from tests.deployment.conftest import Figures, best
from tests.deployment.engine import Engine
from tests.deployment.images import NAMED

HEALTHY_SECONDS = 15
WITH_COMPOSE = [name for name, it in NAMED.items() if it["deployment"] == "docker"]


@pytest.mark.parametrize("name", WITH_COMPOSE)
def test_one_command_starts_it_fast(
    name: str, engine: Engine, tmp_path_factory: pytest.TempPathFactory, figures: Figures
) -> None:
    """With a new database and new secrets, as in a new clone, but with an image."""
    folder = tmp_path_factory.mktemp("compose") / "recipe-api"
    project = Project.generate(engine, NAMED[name], folder, f"{name}-start")
    project.compose("build")

    def start() -> float:
        try:
            began = monotonic()
            project.make("up")
            project.wait_until_healthy()
            return monotonic() - began
        finally:
            project.remove()

    seconds = best(start, HEALTHY_SECONDS)
    figures.record(f"{name}: Compose, from nothing to healthy in s", seconds, HEALTHY_SECONDS)
