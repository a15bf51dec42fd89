"""Each rule in AGENTS.md of a service is held by the test that stands beside it."""

import subprocess
from pathlib import Path

import pytest

from tests.agents import statements
from tests.combinations import DEFAULTS
from tests.programs import environment
from tests.releases import edit
from tests.services import Service
from tests.trees import texts

# It has all rules: no answer adds others.
SERVICE = DEFAULTS.but(auth=True)
USERS = "app/api/api_v1/endpoints/user.py"
FIRST_ROUTE = '@router.get("/")\nasync def list_users'
# What breaks a rule: for its test, the path, the text there (none: the file is new), and the new one.
FAULTS = {
    "tests/test_architecture.py::test_imports_point_inwards": (
        "app/kit/http/docs.py",
        "from app.kit.",
        "from app.core.about import ABOUT\nfrom app.kit.",
    ),
    "tests/test_architecture.py::test_inner_layers_do_not_import_fastapi": (
        "app/schemas/user.py",
        "from pydantic import",
        "from fastapi import Query\nfrom pydantic import",
    ),
    "tests/test_architecture.py::test_alembic_knows_every_model": ("app/models/tag.py", "", "\n"),
    "tests/test_new_database.py::test_models_and_migrations_agree": (
        "app/models/user.py",
        "String(255)",
        "String(300)",
    ),
    "tests/test_new_database.py::test_migrations_can_be_undone_and_done_again": (
        "migrations/versions/0001_initial.py",
        'op.drop_table("user")',
        "pass",
    ),
    "tests/test_architecture.py::test_endpoints_do_not_block_the_loop": (
        USERS,
        FIRST_ROUTE,
        f'@router.get("/ping")\ndef ping(db: DatabaseDep) -> None:\n    """Answer."""\n\n\n{FIRST_ROUTE}',
    ),
    "tests/test_architecture.py::test_dependencies_take_no_thread": (
        "app/api/deps.py",
        "async def get_database",
        "def get_database",
    ),
    "tests/test_architecture.py::test_no_route_shadows_another": (
        USERS,
        FIRST_ROUTE,
        f'@router.get("/{{name}}")\nasync def find_user(name: str) -> str:\n    """Answer."""\n    return name\n\n\n{FIRST_ROUTE}',
    ),
    "tests/auth/test_permissions.py::test_only_listed_routes_are_open": (
        "app/api/api_v1/endpoints/user.py",
        "dependencies=SUPERUSERS_ONLY",
        "dependencies=()",
    ),
    "tests/kit/http/test_docs.py::test_bodies_take_no_unknown_fields": (
        "app/kit/schemas.py",
        'ConfigDict(extra="forbid")',
        "ConfigDict()",
    ),
    "tests/kit/http/test_docs.py::test_answers_are_as_documented": (
        USERS,
        "dependencies=SUPERUSERS_ONLY, responses=RESTRICTED",
        "dependencies=SUPERUSERS_ONLY",
    ),
    "tests/kit/http/test_docs.py::test_operation_ids_are_unique_names_of_functions": (
        USERS,
        "async def read_user",
        "async def list_users",
    ),
    "tests/test_openapi.py::test_openapi_json_is_current": ("openapi.json", "", "{}\n"),
    "tests/test_settings.py::test_example_names_every_variable_once": (
        ".env.example",
        "LOG_LEVEL=INFO\n",
        "",
    ),
    "tests/test_architecture.py::test_test_modules_import_only_tests_support": (
        "tests/test_users.py",
        '"""\n\n',
        '"""\n\nfrom tests.test_recipes import SOUP\n\n',
    ),
}


def test_every_rule_has_a_fault() -> None:
    assert sorted(statements(texts(SERVICE)["AGENTS.md"]).tests) == sorted(FAULTS)


@pytest.mark.parametrize("test", FAULTS)
def test_fault_is_found_by_the_test_of_its_rule(test: str, workplace: Path) -> None:
    service = Service.open(SERVICE, workplace)
    path, old, new = FAULTS[test]
    if old:
        edit(service.folder / path, old, new)
    else:
        (service.folder / path).write_text(new, "utf-8")
    done = subprocess.run(
        [service.programs / "python", "-m", "pytest", "-q", test],
        cwd=service.folder,
        env=environment(**service.variables),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert f"FAILED {test}" in done.stdout
