"""Services run their own tests, each in an environment with exactly what it declares."""

from pathlib import Path

from tests.combinations import Combination, document_name
from tests.services import Service
from tests.trees import BUILD, forest

PLUGINS = Path(__file__).parent / "plugins"
# The .env of a developer, which the tests must not read: the last line is invalid.
DEVELOPERS = """\
FIRST_SUPERUSER_PASSWORD=whatever
REFRESH_TOKEN_SECONDS=1
RATE_LIMIT_REQUESTS=1
GRACE_SECONDS=no
"""
# In TOML, as any owner may call theirs.
NAME = '''"Zoë's \\"quick\\" <API> & co"'''


def test_own_tests(runnable: Combination, python: str, marks: str, workplace: Path) -> None:
    service = Service.open(runnable, workplace, python)
    (service.folder / ".env").write_text(DEVELOPERS, "utf-8")
    about = service.folder / "app" / "about.toml"
    about.write_text(about.read_text("utf-8").replace('"Recipe API"', NAME), "utf-8")
    claims = BUILD / "documents" / forest().name
    claims.mkdir(parents=True, exist_ok=True)
    service.run(
        *("python", "-m", "pytest", "-q", "--maxfail", "5", "-p", "new_documents", "-m", marks),
        PYTHONPATH=str(PLUGINS),
        COMBINATION=runnable.name,
        DOCUMENT=document_name(runnable),
        CLAIMS=str(claims),
        DATABASE_URL=f"{runnable['database']}:///nowhere",
        HYPOTHESIS_STORAGE_DIRECTORY=str(BUILD / "hypothesis"),
    )
