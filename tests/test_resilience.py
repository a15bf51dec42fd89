"""Services withstand what tests/resilience does to them."""

from pathlib import Path

import pytest

from tests.combinations import DEFAULTS, Combination
from tests.programs import environment
from tests.resilience.check import Check, table
from tests.resilience.run import run_checks
from tests.resilience.service import StartCommand
from tests.services import Service

# Of these nothing may reach the service: its own .env, and variables of the developer.
DEVELOPERS = {"MAX_BODY_BYTES": "no", "PORT": "no"}


@pytest.mark.parametrize(
    "combination",
    [
        DEFAULTS,
        DEFAULTS.but(database="postgresql", auth=True, rate_limit=True, job_queue="in_process"),
        DEFAULTS.but(database="postgresql", async_db=False, auth=True, rate_limit=True),
    ],
    ids=str,
)
def test_service_passes_all_checks(combination: Combination, workplace: Path) -> None:
    service = Service.open(combination, workplace)
    lines = [f"{name}={value}\n" for name, value in DEVELOPERS.items()]
    (service.folder / ".env").write_text("".join(lines), "utf-8")
    variables = environment(PATH=service.variables["PATH"])
    checks = [patient(check) for check in run_checks(StartCommand(service.folder, variables))]
    assert all(check.passed for check in checks), table(checks)


def patient(check: Check) -> Check:
    """Allow three times as long: other tests use the processors, too. `make resilience` does not."""
    return check._replace(limit=3 * check.limit) if check.is_duration else check
