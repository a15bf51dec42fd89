"""What the owner of a service does to it between two updates."""

from pathlib import Path

from tests.releases import LOCKS, edit, revision

ENDPOINT = '''\
"""A sign of life."""

from fastapi import APIRouter

router = APIRouter(prefix="/ping")


@router.get("/")
async def ping() -> str:
    """Answer."""
    return "pong"
'''
TEST = '''\
"""The sign of life."""

from fastapi.testclient import TestClient


def test_ping(client: TestClient) -> None:
    assert client.get("/api/v1/ping/").json() == "pong"
'''
REVISION = revision(
    "ab12",
    'op.create_index(op.f("ix_recipe_label"), "recipe", ["label"])',
    'op.drop_index(op.f("ix_recipe_label"), "recipe")',
)
OWN_FILES = {
    "app/api/api_v1/endpoints/ping.py": ENDPOINT,
    "tests/test_ping.py": TEST,
    "migrations/versions/ab12_label_index.py": REVISION,
}
# What owners write into files of the template: the path, the words there, and the new ones.
OWN_EDITS = (
    ("app/api/api_v1/api.py", "    recipe,", "    ping,\n    recipe,"),
    ("app/api/api_v1/api.py", "    user.router,", "    user.router,\n    ping.router,"),
    (
        "app/core/config.py",
        "    first_superuser: EmailStr",
        '    greeting: str = "hello"\n    first_superuser: EmailStr',
    ),
    (
        ".env.example",
        "# E-mail address of the first",
        "GREETING=hello\n# E-mail address of the first",
    ),
    (
        "app/models/recipe.py",
        "label: Mapped[str] = mapped_column(String(255))",
        "label: Mapped[str] = mapped_column(String(255), index=True)",
    ),
    ("pyproject.toml", '    "sqlalchemy', '    "pyyaml>=6.0",\n    "sqlalchemy'),
)
OWN_LOCK = 'version = 1\nrevision = 3\nrequires-python = ">=3.11, <3.15"\n'
DELETED = "tests/kit/http/test_docs.py"


def change_as_owner(folder: Path) -> None:
    """Add an endpoint, a migration and a dependency, change a setting, delete a file, lock."""
    for path, text in (OWN_FILES | dict.fromkeys(LOCKS, OWN_LOCK)).items():
        (folder / path).write_text(text, encoding="utf-8")
    for path, old, new in OWN_EDITS:
        edit(folder / path, old, new)
    (folder / DELETED).unlink()
