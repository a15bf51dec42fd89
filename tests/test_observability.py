"""Alert rules of services, tested by Prometheus' own tool."""

import shutil

import pytest

from tests.combinations import DEFAULTS, Combination
from tests.programs import run
from tests.trees import tree

OBSERVED = DEFAULTS.but(telemetry=True)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: apt install prometheus"
)
@pytest.mark.parametrize("combination", [OBSERVED, OBSERVED.but(job_queue="in_process")], ids=str)
def test_rules_fire_when_they_should(combination: Combination) -> None:
    rules = tree(combination) / "observability"
    run("promtool", "check", "rules", "alerts.yaml", cwd=rules)
    run("promtool", "test", "rules", "alerts_test.yaml", cwd=rules)
