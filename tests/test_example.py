"""The example can be deleted as the generated README says, and the rest still holds."""

import re
from pathlib import Path

import pytest

from tests.combinations import DEFAULTS, Combination
from tests.services import QUICK, Service

BLOCK = re.compile(r"<!-- the template's tests run this block -->\n```shell\n(.*?)```", re.DOTALL)
# Words that only the example needs.
EXAMPLE = re.compile(r"# example|recipe|ideas|dashboard|weather", re.IGNORECASE)
# What the owner may have added below.
OWN = "\n# Ours: it stays.\n"
OWN_CODE = '\n\ndef ours() -> None:\n    """Stay."""\n'


@pytest.mark.parametrize(
    "combination",
    [
        DEFAULTS,
        DEFAULTS.but(database="postgresql", async_db=False, fan_out=False, auth=True),
        DEFAULTS.but(database="postgresql", auth=True, rate_limit=True, job_queue="procrastinate"),
    ],
    ids=str,
)
def test_example_can_be_deleted(combination: Combination, workplace: Path) -> None:
    service = Service.open(combination, workplace)
    additions = {".env.example": OWN, "Makefile": OWN}
    if combination["auth"]:
        additions["tests/auth/test_permissions.py"] = OWN_CODE
    if combination["job_queue"] != "none":
        additions["app/kit/jobs/settings.py"] = OWN_CODE
    extended = {service.folder / name: own for name, own in additions.items()}
    for path, own in extended.items():
        path.write_text(path.read_text("utf-8") + own, "utf-8")
    (match,) = BLOCK.findall((service.folder / "README.md").read_text("utf-8"))
    variables = {
        "DATABASE_URL": service.new_database(),
        "UV_PROJECT_ENVIRONMENT": str(service.programs.parent),
        "UV_FROZEN": "1",
    }
    service.run("bash", "-euo", "pipefail", "-c", match, **variables)
    service.run("make", "lint", **variables)
    service.run("alembic", "check", **variables)
    service.run("python", "-m", "pytest", "-q", "-m", QUICK)
    assert _leftovers(service.folder) == []
    assert "features" not in (service.folder / "app" / "about.toml").read_text("utf-8")
    assert all(path.read_text("utf-8").endswith(own) for path, own in extended.items())


def _leftovers(folder: Path) -> list[str]:
    """Return what still speaks of the example; migrations tell history, and names are the user's."""
    return [
        f"{path.relative_to(folder)}: {line}"
        for path in [
            *folder.glob("app/**/*.py"),
            *folder.glob("tests/**/*.py"),
            folder / "Makefile",
        ]
        for line in path.read_text("utf-8").splitlines()
        if EXAMPLE.search(line)
    ]
