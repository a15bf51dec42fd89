"""The documents tell what the last run of ``make bench`` measured."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bench.floors import FLOORS, Floor, Sample, Verdict
from bench.load import IDEAS, SOURCE_OK, wrk
from bench.processes import APP_CPU, LOAD_CPU, Server, Watch
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
            server = Server(process, port=0)
            server.wait_until_idle()
            used = server.cpu_seconds()
        finally:
            process.kill()
    assert used >= 0.48  # counted in hundredths


def busy(results: Results, percent: float) -> Results:
    """Return the same results as of a busy machine."""
    loads = [replace(load, foreign_cpu_percent=percent) for load in results.loads]
    starts = [replace(start, disturbed_percent=percent) for start in results.starts]
    generations = [replace(one, disturbed_percent=percent) for one in results.generations]
    return replace(results, loads=loads, starts=starts, generations=generations)


def test_busy_machine_is_not_judged_and_lost_requests_are() -> None:
    results = Results.read()
    assert Verdict.NOT_JUDGED not in [floor.verdict(results) for floor in FLOORS]
    verdicts = {floor.what: floor.verdict(busy(results, 50)) for floor in FLOORS}
    judged = {what for what, verdict in verdicts.items() if verdict is not Verdict.NOT_JUDGED}
    wanted = ("lost requests", "errors", "memory")
    assert judged == {what for what in verdicts if any(word in what for word in wanted)}


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        ([(2, 0), (2, 0), (2, 0)], Verdict.MET),
        ([(1, 0), (1, 0), (1, 0)], Verdict.MISSED),
        ([(1, 50), (2, 0), (2, 0)], Verdict.MET),
        ([(2, 50), (1, 0), (1, 0)], Verdict.MISSED),
        ([(2, 0), (1, 50), (1, 50)], Verdict.NOT_JUDGED),
        ([(2, 0), (1, 0), (1, 0)], Verdict.NOT_JUDGED),
        ([(1.6, 0), (1.4, 0), (1.4, 0)], Verdict.MISSED),
    ],
)
def test_floor_is_judged_by_quiet_repeats_that_agree(
    samples: list[tuple[float, float]], verdict: Verdict
) -> None:
    floor = Floor("half as much again", 1.5, lambda _: [Sample(*it) for it in samples])
    assert floor.verdict(Results.read()) is verdict


def test_other_programs_are_noticed() -> None:
    cpus = os.sched_getaffinity(0)
    if not {APP_CPU, LOAD_CPU} <= cpus:
        pytest.skip("two CPUs are needed")
    work = "import time\nwhile time.process_time() < 1: pass"
    watch = Watch()
    subprocess.run(["taskset", "-c", str(APP_CPU), sys.executable, "-c", work], check=True)
    assert watch.foreign_percent(used_seconds=0) > 10
