"""The documents tell what the last run of ``make bench`` measured."""

import subprocess
import sys
from dataclasses import replace

from bench.processes import Server
from bench.report import documents
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
