"""What the service has: what a resource can refer to, and what it must not repeat."""

import re
from pathlib import Path

from scripts.resource import RefusedError
from scripts.resource.listing import ENDPOINTS, new_files
from scripts.resource.record import FOLDER, read_text
from scripts.resource.resource import Resource

ROOT = Path(__file__).parents[2]
MODEL = re.compile(r"^class (\w+)\(Base\):", re.MULTILINE)
ADDS = re.compile(r"^def add_(\w+)\(client: TestClient, \*\*changes: object\)", re.MULTILINE)
IMPORTED_MODEL = re.compile(r"^from app\.models\.(\w+) import", re.MULTILINE)


def targets(root: Path) -> dict[str, str]:
    """Map the resources that others may refer to to the modules that add one in tests."""
    found = {}
    for path in sorted((root / "tests" / "support").glob("*.py")):
        for name in ADDS.findall(read_text(path)):
            if (root / "app" / "models" / f"{name}.py").is_file():
                found[name] = f"tests.support.{path.stem}"
    return found


def sampled(root: Path) -> set[str]:
    """Return the resources of which a new database has some."""
    texts = map(read_text, (root / "app" / "db").glob("sample_*.py"))
    return {"user", *(name for text in texts for name in IMPORTED_MODEL.findall(text))}


def check_clashes(root: Path, resource: Resource) -> None:
    """Raise ``RefusedError`` if the service has something of the same name."""
    for path in (*new_files(resource), f"{FOLDER}/{resource.name}.json"):
        if (root / path).exists():
            raise RefusedError(f"{path} is there already: choose another name than {resource.name}")
    for path in sorted((root / "app").rglob("*.py")):
        text = read_text(path)
        where = path.relative_to(root).as_posix()
        if resource.table in map(str.lower, MODEL.findall(text)):
            raise RefusedError(f"{where} has the table {resource.table}: choose another name")
        if where.startswith(ENDPOINTS):
            functions = rf"def (list_{resource.plural}|\w+_{resource.name})\("
            if re.search(rf'"{resource.path}["/]|{functions}', text):
                raise RefusedError(f"{where} has routes of {resource.plural}: choose another name")
