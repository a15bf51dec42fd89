"""Rules about the code that reading does not enforce."""

import ast
import inspect
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Match

from app.db.session import Database
from tests.support import ROOT

APP = ROOT / "app"
# From the inside out: a layer may import those before it, never one after it. A package that is not
# listed is a feature: it stands between `crud` and `api`, and knows no other feature.
INNER = ("kit", "core", "schemas", "db.base_class", "db.session", "models", "db.base", "crud")
OUTER = ("api", "")  # at last the entry points: `app.main` and its like


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


def layer(module: str) -> str:
    """Return the layer of a module such as `app.crud.base`."""
    package, _, name = module.removeprefix("app.").partition(".")
    if not (APP / package).is_dir():
        return ""
    inner = f"{package}.{name.partition('.')[0]}"
    return inner if inner in INNER else package


def rank(layer: str) -> int:
    if layer in INNER:
        return INNER.index(layer)
    return len(INNER) + 1 + OUTER.index(layer) if layer in OUTER else len(INNER)


def test_imports_point_inwards() -> None:
    files = sorted(APP.rglob("*.py"))
    assert len(files) > 20
    for path in files:
        mine = layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
        used = {layer(name) for name in imports(path) if name.startswith("app.")}
        assert not {other for other in used - {mine} if rank(other) >= rank(mine)}, path


def test_inner_layers_do_not_import_fastapi() -> None:
    for name in ("core", "crud", "db", "models", "schemas"):
        for path in (APP / name).rglob("*.py"):
            assert not {it for it in imports(path) if it.split(".")[0] == "fastapi"}, path


def test_alembic_knows_every_model() -> None:
    """Of others, `make migration` sees nothing, and says nothing."""
    told = {name.rpartition(".")[0] for name in imports(APP / "db" / "base.py")}
    modules = {path.stem for path in (APP / "models").glob("[!_]*.py")}
    assert {f"app.models.{name}" for name in modules} <= told


def test_no_route_shadows_another(app: FastAPI) -> None:
    routes = list(iter_route_contexts(app.routes))
    assert len(routes) > 5
    for route in routes:
        for method in route.methods or ():
            scope = {"type": "http", "method": method, "path": route.path, "headers": []}
            first = next(r for r in routes if r.matches(dict(scope))[0] is Match.FULL)
            assert first.path == route.path, f"{method} {route.path} is answered by {first.path}"


def test_endpoints_do_not_block_the_loop(app: FastAPI) -> None:
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
    for path in (APP / "api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert not node.name.startswith("get_"), f"{path}: {node.name} should be async"


def test_test_modules_import_only_tests_support() -> None:
    """What two of them need stands in tests/support."""
    for path in (ROOT / "tests").rglob("*.py"):
        used = {name for name in imports(path) if name.split(".")[0] == "tests"}
        assert {".".join(name.split(".")[:2]) for name in used} <= {"tests.support"}, path
