"""``make observe`` shows traces, and says what it needs."""

import gzip
import sys
from pathlib import Path

import httpx2
import pytest

from scripts.observe import __main__ as observe
from scripts.observe import prometheus
from scripts.observe import traces as shown
from scripts.observe.receiver import receiving
from tests.support import ROOT
from tests.support.telemetry import Start
from tests.support.users import USERS

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}

# Stands in for Docker, and for Prometheus in a container.
DOCKER = """#!{python}
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready")

with open("{log}", "a", encoding="utf-8") as log:
    print(*sys.argv[1:], file=log)
if "up" in sys.argv:
    HTTPServer(("127.0.0.1", int(os.environ["PROMETHEUS_PORT"])), Handler).serve_forever()
"""


def page(url: str) -> str:
    return httpx2.get(url, trust_env=False).text


def test_trace_of_two_processes_is_shown_as_one(start: Start) -> None:
    with receiving(0) as url:
        for path in (f"{USERS}4711", "/nowhere"):
            with start(otel_exporter_otlp_endpoint=url) as client:
                client.get(path, headers=HEADERS)
        first, _, name, *spans = page(url).splitlines()
    assert (first, name) == ("Traces: 1, the newest first.", TRACE)
    requests = [line for line in spans if line.startswith("  GET")]
    assert len(requests) == 2
    assert len({line.split()[-1] for line in requests}) == 2  # the ids of the processes
    assert any(line.startswith("    SELECT") for line in spans)


def test_only_new_traces_are_kept(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "MAX_TRACES", 1)
    with receiving(0) as url:
        with start(otel_exporter_otlp_endpoint=url) as client:
            client.get("/nowhere", headers=HEADERS)
            client.get("/nowhere")
        text = page(url)
    assert text.startswith("Traces: 1,")
    assert TRACE not in text


def test_bodies_that_are_not_otlp_are_refused() -> None:
    with receiving(0) as url:
        for body, headers in ((b"{}", {}), (b"{}", {"Content-Encoding": "gzip"})):
            answer = httpx2.post(f"{url}/v1/traces", content=body, headers=headers, trust_env=False)
            assert answer.status_code == 400
        empty = httpx2.post(
            f"{url}/v1/traces",
            content=gzip.compress(b""),
            headers={"Content-Encoding": "gzip"},
            trust_env=False,
        )
        assert empty.status_code == 200
        assert page(url).startswith("Traces: 0,")


def test_without_prometheus_and_docker_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"^Install Prometheus .*, or Docker with Compose\.$"):
        with prometheus.prometheus():
            pass


@pytest.mark.slow
def test_compose_runs_it_and_removes_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker, log = tmp_path / "docker", tmp_path / "log"
    docker.write_text(DOCKER.format(python=sys.executable, log=log), "utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with prometheus.prometheus() as (process, url):
        assert page(f"{url}/-/ready") == "ready"
        assert process.poll() is None
    assert process.returncode is not None
    version, up, down = log.read_text("utf-8").splitlines()
    assert version == "compose version"
    start = f"compose --project-name {prometheus.PROJECT} --file {ROOT}/observability/docker.yaml"
    assert (up, down) == (f"{start} up", f"{start} down --volumes")


def test_port_that_is_not_scraped_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "9500")
    with pytest.raises(SystemExit, match=r"^Add localhost:9500 to observability/prometheus\.yaml"):
        observe.main()
