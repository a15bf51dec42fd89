"""Rules about the code that reading does not enforce."""

import ast
import inspect
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Match

from app.db.session import Database
from tests.conftest import ROOT

# Who may import whom. Models and db need each other: the base class, and the list of all models.
LAYERS = {
    "core": {"kit"},
    "schemas": {"core", "kit"},
    "models": {"core", "db", "kit"},
    "db": {"core", "kit", "models"},
    "crud": {"core", "db", "kit", "models", "schemas"},
    # {% if cookiecutter.fan_out %}
    "clients": {"core", "kit", "schemas"},  # example
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    "jobs": {"core", "crud", "db", "kit", "schemas"},
    # {% endif %}
    "api": {"clients", "core", "crud", "db", "jobs", "kit", "schemas"},
    "kit": {"api", "core", "crud", "db", "jobs", "models", "schemas"},
}
# What fills the database uses the same way as requests do.
ABOVE_CRUD = {
    "init_db.py",
    "sample_recipes.py",  # example
}
WITHOUT_FRAMEWORK = {"core", "crud", "db", "models", "schemas"}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    froms = {
        f"{n.module}.{a.name}"
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom) and n.module
        for a in n.names
    }
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return froms | names


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_inwards(layer: str) -> None:
    files = [path for path in (ROOT / "app" / layer).rglob("*.py") if path.name not in ABOVE_CRUD]
    assert files
    for path in files:
        used = {name.split(".")[1] for name in imports(path) if name.startswith("app.")}
        assert used <= LAYERS[layer] | {layer}, path
        if layer in WITHOUT_FRAMEWORK:
            assert not {name for name in imports(path) if name.split(".")[0] == "fastapi"}, path


def test_every_package_has_a_layer() -> None:
    app = ROOT / "app"
    packages = {path.relative_to(app).parts[0] for path in app.rglob("*.py") if path.parent != app}
    assert packages == LAYERS.keys()


def test_alembic_is_told_of_every_model() -> None:
    """Of others, `make migration` sees nothing, and says nothing."""
    told = {name.rpartition(".")[0] for name in imports(ROOT / "app" / "db" / "base.py")}
    modules = {path.stem for path in (ROOT / "app" / "models").glob("[!_]*.py")}
    assert {f"app.models.{name}" for name in modules} <= told


def test_no_route_hides_behind_another(app: FastAPI) -> None:
    routes = list(iter_route_contexts(app.routes))
    assert len(routes) > 5
    for route in routes:
        for method in route.methods or ():
            scope = {"type": "http", "method": method, "path": route.path, "headers": []}
            first = next(r for r in routes if r.matches(dict(scope))[0] is Match.FULL)
            assert first.path == route.path, f"{method} {route.path} is answered by {first.path}"


def test_endpoints_block_nobody(app: FastAPI) -> None:
    """An endpoint that uses the database runs in the loop only if the database does not block."""
    in_loop = inspect.iscoroutinefunction(Database.ping)
    found = 0
    for route in iter_route_contexts(app.routes):
        endpoint = getattr(route.original_route, "endpoint", None)
        if not isinstance(route.original_route, APIRoute) or endpoint is None:
            continue
        uses_database = "db" in inspect.signature(endpoint).parameters
        if uses_database and route.path != "/health/ready":  # which takes a thread itself
            found += 1
            assert inspect.iscoroutinefunction(endpoint) is in_loop, route.path
    assert found >= 3


def test_dependencies_take_no_thread() -> None:
    for path in (ROOT / "app" / "api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert not node.name.startswith("get_"), f"{path}: {node.name} should be async"
