"""The image of a service holds what it needs, starts fast, stops without a loss, and nothing else."""

import re
from collections.abc import Generator
from dataclasses import replace
from time import monotonic, sleep

import pytest

from tests.combinations import AXES, DEFAULTS
from tests.deployment.conftest import Figures, best, slowness
from tests.deployment.images import SERVICES, Backend, Container, Image, backend, container
from tests.deployment.standins import PYTHON
from tests.resilience.load import count_bad, load

# Paths that may be new, beside byte code of the standard library and what makes a user.
OWN = re.compile(
    r"(data|opt|opt/venv|run|run/secrets|srv|srv/(app|deploy|migrations))/$"
    r"|opt/venv/(bin/|include/|lib64$|pyvenv\.cfg|\.gitignore|\.lock|CACHEDIR\.TAG|lib/)"
    r"|srv/(app|migrations)/|srv/deploy/(healthcheck\.py|__pycache__/)|srv/__pycache__/"
    r"|srv/(prestart\.sh|pyproject\.toml|run\.sh)$"
    r"|usr/lib/python3[.\d]*/(.*/)?__pycache__/"
    r"|(etc/(passwd|group|shadow|gshadow|subuid|subgid)-?|var/log/lastlog|var/log/faillog)$"
)
# Programs and folders that must not be in an image, from whichever layer.
UNWANTED = re.compile(
    r"bin/(pip[\d.]*|uvx?|poetry|gcc|cc|g\+\+|c\+\+|make|git|curl|wget)$"
    r"|site-packages/(pip|uv|poetry|setuptools|pytest|ruff)/"
    r"|srv/(app/|migrations/)?tests?/|/\.git/|/\.env|uv\.lock|poetry\.lock"
)
SMALL_MB, LARGE_MB = 90, 160
REBUILD_SECONDS = 2
# CPUs that a container gets, and the seconds until it lives: without telemetry, and with all features.
START_SECONDS = {"0.5": (1.5, 2.5), "0.2": (4.0, 6.0)}
# What a service with telemetry imports only when it sends or serves something.
EXPORTERS = (
    "app.kit.telemetry.readers",
    "app.kit.telemetry.spans",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
)
LABELS = {"title": "recipe-api", "version": "0"}


@pytest.fixture(scope="module")
def found(image: Image) -> Generator[Backend]:
    """Yield what the service needs."""
    with backend(image) as found:
        yield found


def test_services_have_every_answer() -> None:
    chosen = {answer for service in SERVICES for answer in service.answers}
    possible = {(question, answer) for question, answers in AXES.items() for answer in answers}
    assert possible - chosen == {("deployment", "none")}


def test_image_is_small(image: Image, figures: Figures) -> None:
    size = image.engine.size_mb(image.name) - image.engine.size_mb(PYTHON)
    limit = SMALL_MB if image.combination == DEFAULTS else LARGE_MB
    figures.record(f"{image.label}: MB above the base", size, limit)


def test_image_has_no_other_files(image: Image) -> None:
    base = replace(image, name=PYTHON).files()
    added = image.files() - base
    assert any(path.startswith("opt/venv/lib/") for path in added)
    assert not sorted(path for path in added if not OWN.match(path))
    assert not sorted(path for path in image.files() if UNWANTED.search(path))


def test_nothing_is_compiled_at_a_start(image: Image) -> None:
    """With a read-only root, each start would do it again."""
    imports = ", ".join(("app.serve", *(EXPORTERS if image.combination["telemetry"] else ())))
    program = (
        f"from app.kit.server.server import build_app; import alembic.__main__, {imports}\n"
        "build_app('app.main:create_app').openapi()"
    )
    url = "postgresql://host/name" if image.combination["database"] == "postgresql" else ""
    code, lines = image.run_once("python", "-v", "-c", program, DATABASE_URL=url)
    assert code == 0, lines
    loaded = [line for line in lines if line.startswith("# code object from ")]
    assert len(loaded) > 500
    assert not [line for line in loaded if ".pyc" not in line and "/" in line]


def test_image_says_what_it_is(image: Image) -> None:
    config = image.engine.inspect(image.name)["Config"]
    prefix = "org.opencontainers.image."
    labels = {name.removeprefix(prefix): value for name, value in config["Labels"].items()}
    assert labels.items() >= LABELS.items()
    assert labels["revision"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"


def test_change_of_code_leaves_the_dependencies(image: Image, figures: Figures) -> None:
    path = image.folder / "app/main.py"

    def rebuild() -> float:
        before = image.layers()
        path.write_text(path.read_text("utf-8") + "\n# Changed.\n", "utf-8")
        seconds = image.rebuild()
        after = image.layers()
        assert after[:-1] == before[:-1]
        assert after[-1] != before[-1]
        return seconds

    seconds = best(rebuild, REBUILD_SECONDS)
    figures.record(f"{image.label}: rebuild after a change of code in s", seconds, REBUILD_SECONDS)


@pytest.mark.parametrize("cpus", START_SECONDS)
def test_container_starts_fast(image: Image, found: Backend, cpus: str, figures: Figures) -> None:
    def start() -> float:
        with container(image, found, "--cpus", cpus) as service:
            return service.wait_until_alive() / slowness()

    limit = START_SECONDS[cpus][bool(image.combination["telemetry"])]
    seconds = best(start, limit)
    figures.record(f"{image.label}: /health/live at {cpus} CPU in s", seconds, limit)


def test_sigterm_under_load_loses_nothing(image: Image, found: Backend, figures: Figures) -> None:
    with container(image, found) as service:
        service.wait_until_ready()
        _check_process(service)
        service.introduce()
        with load(service) as clients:
            sleep(2)
            seconds = service.stop()
        assert service.exit_code() == 0, service.logs()
        assert len(clients.answers) > 30
        lost = count_bad(clients.answers, 200, 201)
    figures.record(f"{image.label}: requests lost at SIGTERM under load", lost, 0)
    figures.record(f"{image.label}: SIGTERM until the end in s", seconds, 20)


def _check_process(service: Container) -> None:
    """The service itself is process 1, has no rights, and is healthy."""
    words = service.execute("cat", "/proc/1/cmdline").split("\0")
    assert words[1:3] == ["-m", "app.serve"]
    status = service.execute("cat", "/proc/1/status")
    assert re.search(r"^Uid:\s+10001\s+10001", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    refused = service.engine.attempt("docker", "exec", service.name, "touch", "/srv/app/new.py")
    assert "Read-only file system" in refused.stdout
    give_up_at = monotonic() + 20
    while service.health() != "healthy" and monotonic() < give_up_at:
        sleep(0.2)
    assert service.health() == "healthy"
