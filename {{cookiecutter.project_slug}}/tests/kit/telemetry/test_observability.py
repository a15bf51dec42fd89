"""What Grafana and the alert rules ask for are metrics that the service has."""

import json
import re
from time import sleep

import pytest

from app.kit.telemetry import measures
from tests.support import ROOT
from tests.support.telemetry import StartScraped

FOLDER = ROOT / "observability"
# Words before a brace, a bracket or the end of an operand that are no functions, labels or numbers.
NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b(?!\s*\()")
LABELS = re.compile(r"\{[^}]*\}|\bby \([^)]*\)")


def expressions() -> list[str]:
    """Return all expressions of Grafana's panels and the rules."""
    grafana = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    shown = [target["expr"] for panel in grafana["panels"] for target in panel["targets"]]
    rules = (FOLDER / "alerts.yaml").read_text("utf-8")
    found = re.findall(r"^ +expr: (?:>-\n((?:^ {10}.*\n)+)|(.*))", rules, re.MULTILINE)
    return shown + [folded or line for folded, line in found]


def names(expression: str) -> set[str]:
    """Return the metrics of an expression; recorded ones have colons."""
    plain = re.sub(r"\S*:\S*", "", LABELS.sub("", expression))
    return set(NAME.findall(plain)) - {"histogram_quantile"}


def test_named_metrics_are_exported(
    start_scraped: StartScraped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "INTERVAL_SECONDS", 0.001)
    with start_scraped() as (client, scrape):
        client.get("/health/ready")
        sleep(0.01)  # until the lag of the event loop was measured
        exported = {sample.name for sample in scrape().samples}
    assert len(expressions()) > 15
    for expression in expressions():
        assert names(expression) <= exported, expression
    assert "http_server_request_duration_seconds_bucket" in {
        name for expression in expressions() for name in names(expression)
    }
