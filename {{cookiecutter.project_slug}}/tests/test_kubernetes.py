"""The manifests in ``deploy/kubernetes/`` agree with the settings and the code."""

import re

import pytest

from app.core.config import Settings
# {% if cookiecutter.database == "postgresql" %}
from app.kit.db.migrations import wait
# {% endif %}
from app.kit.http import health
# {% if cookiecutter.job_queue == "procrastinate" %}
from app.kit.jobs.worker import LAST_MOMENT_SECONDS
# {% endif %}
from app.kit.server.settings import LONGEST_STOP_SECONDS
from tests.support import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
ENVIRONMENTS = ("staging", "production")
# How long a process may take to stop after SIGTERM, by its manifest.
# {% if cookiecutter.job_queue == "procrastinate" %}
STOP_SECONDS = {"web.yaml": LONGEST_STOP_SECONDS, "worker.yaml": LAST_MOMENT_SECONDS}
# {% else %}
STOP_SECONDS = {"web.yaml": LONGEST_STOP_SECONDS}
# {% endif %}
EXIT_SECONDS = 2
# {% if cookiecutter.database == "postgresql" %}
# PostgreSQL accepts 100 connections by default and keeps 3 for superusers. A migration needs 2.
MAX_CONNECTIONS = 100 - 3 - 2
# Connections of a process beside its pool: see DATABASE_POOL_SIZE in .env.example.
QUEUE_CONNECTIONS = {"worker.yaml": 11}
# {% endif %}
# {% if cookiecutter.database == "sqlite" %}
SECRETS = {"DATABASE_URL": "sqlite:////data/app.db"}
# {% else %}
SECRETS = {"DATABASE_URL": "postgresql://user:secret@database/some"}
# {% endif %}
# {% if cookiecutter.auth %}
SECRETS["SECRET_KEY"] = "0123456789abcdef" * 4
# {% endif %}


def manifest(name: str) -> str:
    """Return the text of a manifest of the base."""
    return (FOLDER / "base" / name).read_text("utf-8")


def number(text: str, name: str) -> int:
    """Return the value of a key that a manifest has once."""
    (found,) = re.findall(rf"^[ -]*{name}: (\d+)$", text, re.MULTILINE)
    return int(found)


def variables(text: str) -> dict[str, str]:
    """Return the variables that a manifest sets."""
    return dict(re.findall(r'- name: ([A-Z_]+)\n +value: "?([^"\n]+)', text))


def settings(folder: str) -> dict[str, str]:
    """Return the settings of all pods."""
    lines = (FOLDER / folder / "settings.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("name", STOP_SECONDS)
def test_pods_have_time_to_stop(name: str) -> None:
    """Kubernetes kills a pod that takes longer, with the requests that it answers."""
    seconds = number(manifest(name), "terminationGracePeriodSeconds")
    assert seconds >= STOP_SECONDS[name] + EXIT_SECONDS


def test_probes_ask_paths_that_exist() -> None:
    asked = set(re.findall(r"path: (/health/\S+)", manifest("web.yaml")))
    assert asked == {getattr(route, "path", None) for route in health.router.routes}


def test_readiness_probe_waits_for_the_answer_about_the_database() -> None:
    probe = manifest("web.yaml").partition("readinessProbe:")[2].partition("resources:")[0]
    assert number(probe, "timeoutSeconds") > health.TIMEOUT_SECONDS


def test_variables_are_settings_and_secrets_are_in_files_with_their_names() -> None:
    texts = [path.read_text("utf-8") for path in FOLDER.rglob("*.yaml")]
    names = set().union(*map(settings, ("base", *ENVIRONMENTS)))
    for name, value in [it for text in texts for it in variables(text).items()]:
        setting = name.removesuffix("_FILE")
        assert setting == name or value == f"/run/secrets/app/{setting.lower()}"
        names.add(setting)
    assert names <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_settings_of_an_environment_are_valid(
    environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (SECRETS | settings("base") | settings(environment)).items():
        monkeypatch.setenv(name, value)
    assert Settings().environment == environment
# {%- if cookiecutter.telemetry +%}


@pytest.mark.parametrize("name", STOP_SECONDS)
def test_prometheus_reads_metrics_at_the_port_of_the_settings(name: str) -> None:
    port = re.search(r"- name: metrics\n +containerPort: (\d+)", manifest(name))
    assert port is not None
    assert port[1] == settings("base")["OTEL_EXPORTER_PROMETHEUS_PORT"]
# {%- endif +%}
# {%- if cookiecutter.database == "postgresql" +%}


def test_rollout_may_take_longer_than_the_migration() -> None:
    seconds = number(manifest("migration.yaml"), "activeDeadlineSeconds")
    assert seconds == wait.TIMEOUT_SECONDS
    assert number(manifest("web.yaml"), "progressDeadlineSeconds") > seconds


def test_database_accepts_the_connections_of_all_pods() -> None:
    """During a rollout, too, with as many pods as the autoscaler may start."""
    assert sum(map(connections, STOP_SECONDS)) <= MAX_CONNECTIONS


def connections(name: str) -> int:
    """Return how many connections the pods of a Deployment may open."""
    text = manifest(name)
    if "replicas:" in text:
        replicas = number(text, "replicas")
    else:
        replicas = number(manifest("autoscaler.yaml"), "maxReplicas")
    pool_size = int((settings("base") | variables(text))["DATABASE_POOL_SIZE"])
    pods = replicas + number(text, "maxSurge")
    return pods * (pool_size + QUEUE_CONNECTIONS.get(name, 0))
# {%- endif +%}
