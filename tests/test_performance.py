"""The documents tell what the last run of ``make bench`` measured."""

import shutil
import subprocess
import sys
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bench.load import IDEAS, SOURCE_OK, wrk
from bench.processes import Server
from bench.report import PERFORMANCE, documents
from bench.results import Results


def test_documents_tell_the_results() -> None:
    told = documents(Results.read())
    assert {path: path.read_text("utf-8") for path in told} == told


def test_other_results_are_told_in_each_document() -> None:
    results = Results.read()
    slower = [
        replace(
            load,
            requests_per_second=load.requests_per_second / (3 if load.service == "async" else 1),
            foreign_cpu_percent=0,
        )
        for load in results.loads
    ]
    told = documents(replace(results, loads=slower))
    assert not [path for path, text in told.items() if path.read_text("utf-8") == text]


def test_figures_of_loads_with_errors_say_so() -> None:
    results = Results.read()
    loads = [replace(load, errors=load.service in ("L3", "fan-out")) for load in results.loads]
    told = documents(replace(results, loads=loads))[PERFORMANCE]
    cells = {(load.scenario, load.clients) for load in loads if load.errors}
    assert told.count(f" **{results.repeats} errors**") == len(cells)
    errors = sum(load.errors for load in loads if load.service == "fan-out")
    assert f"| fan-out: errors under load | ≤ 0 | {errors} | **no** |" in told


def test_requests_that_one_repeat_lost_are_told() -> None:
    results = Results.read()
    processes = [
        replace(one, unanswered=777 if one.repeat == 1 else 0) for one in results.processes
    ]
    told = documents(replace(results, processes=processes))[PERFORMANCE]
    assert told.count(" | 777 |\n") == len({one.service for one in processes})


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
@pytest.mark.parametrize("answered", [2, 3])
def test_partial_answers_are_errors(answered: int) -> None:
    content = answered * SOURCE_OK.encode()

    class Sources(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with HTTPServer(("127.0.0.1", 0), Sources) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        result = wrk(server.server_port, IDEAS["concurrent"], clients=1, seconds=1)
        server.shutdown()
    assert result["requests"] > 0
    assert result["errors"] == (result["requests"] if answered < 3 else 0)


def test_what_a_load_left_behind_is_waited_for() -> None:
    work = "import time\nprint()\nwhile time.process_time() < 0.5: pass\ntime.sleep(60)"
    command = [sys.executable, "-u", "-c", work]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            server = Server(process, port=0, start_seconds=0)
            server.wait_until_idle()
            used = server.cpu_seconds()
        finally:
            process.kill()
    assert used >= 0.48  # counted in hundredths
