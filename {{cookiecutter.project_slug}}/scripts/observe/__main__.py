"""Look at metrics and traces on this machine: ``python -m scripts.observe``, until Ctrl-C."""

import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from time import sleep
from urllib.parse import urlsplit

from app.kit.settings import read_settings
from app.kit.telemetry.settings import TelemetrySettings
from scripts.observe.prometheus import FOLDER, prometheus
from scripts.observe.receiver import receiving

ENDPOINT = "http://localhost:4318"
METRICS_PORT = 9464
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


def main() -> None:
    """Run Prometheus and a receiver for traces; print where to look."""
    settings = read_settings(TelemetrySettings)
    check_port(settings)
    with (
        until_interrupted(),
        receiving_traces(settings) as traces,
        prometheus() as (process, url),
    ):
        print(f"Metrics: {url} (alerts: {url}/alerts)")
        print(f"Traces:  {traces}")
        if missing := missing_settings(settings):
            print(f"Set this in .env, and start the service again: {' '.join(missing)}")
        print("Ctrl-C ends this.", flush=True)
        while process.poll() is None:
            sleep(0.2)
        sys.exit("Prometheus ended by itself: see its lines above.")


def check_port(settings: TelemetrySettings) -> None:
    """Exit with a sentence if Prometheus would not scrape the port of the service."""
    port = settings.otel_exporter_prometheus_port or METRICS_PORT
    if f"localhost:{port}" not in (FOLDER / "prometheus.yaml").read_text("utf-8"):
        sys.exit(f"Add localhost:{port} to observability/prometheus.yaml, or Prometheus misses it.")


def missing_settings(settings: TelemetrySettings) -> list[str]:
    """Return what the service needs in order to be seen."""
    missing = []
    if settings.otel_exporter_otlp_endpoint is None:
        missing.append(f"OTEL_EXPORTER_OTLP_ENDPOINT={ENDPOINT}")
    if settings.otel_exporter_prometheus_port is None:
        missing.append(f"OTEL_EXPORTER_PROMETHEUS_PORT={METRICS_PORT}")
    return missing


@contextmanager
def receiving_traces(settings: TelemetrySettings) -> Generator[str]:
    """Receive traces where the service sends them, unless a collector does; yield where to look."""
    endpoint = settings.otel_exporter_otlp_endpoint or ENDPOINT
    parts = urlsplit(endpoint)
    if parts.hostname not in {"localhost", "127.0.0.1"}:
        yield f"they go to {endpoint}"
        return
    with ExitStack() as stack:
        try:
            where = stack.enter_context(receiving(parts.port or 80))
        except OSError as error:
            where = f"another program receives them at {endpoint} ({error.strerror})"
        yield where


@contextmanager
def until_interrupted() -> Generator[None]:
    """End the block at the first signal; the clean-up is not interrupted."""
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]

    def interrupt(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)
    with suppress(KeyboardInterrupt):
        yield


if __name__ == "__main__":
    main()
