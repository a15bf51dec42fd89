"""The documents tell what the last run of ``make bench`` measured."""

from dataclasses import replace

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
