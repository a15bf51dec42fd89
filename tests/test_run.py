"""Services run their own tests, each in an environment with exactly what it declares."""

from pathlib import Path

from tests.combinations import COVERING, Combination
from tests.environments import PYTHON
from tests.services import QUICK, SLOW, Service
from tests.trees import BUILD, forest

PLUGINS = Path(__file__).parent / "plugins"
# Of the developer, and out of the tests' reach: whoever reads the last line ends.
DEVELOPERS = """\
FIRST_SUPERUSER_PASSWORD=whatever
REFRESH_TOKEN_SECONDS=1
RATE_LIMIT_REQUESTS=1
GRACE_SECONDS=no
"""
# In TOML, as any owner may call theirs.
NAME = '''"Zoë's \\"quick\\" <API> & co"'''


def test_own_tests(runnable: Combination, python: str, marks: str, workplace: Path) -> None:
    """Run the slow ones where two answers meet for the first time, or make a new OpenAPI document.

    To the rest of the combinations they would tell nothing new.
    """
    service = Service.open(runnable, workplace, python)
    document = _run_tests(service, marks)
    is_new = marks == QUICK and python == PYTHON and _claim(document, runnable)
    if is_new and runnable not in COVERING:  # whose slow ones are a run of their own
        _run_tests(service, SLOW)


def _run_tests(service: Service, marks: str) -> str:
    """Run those with these marks and return the digest of the service's OpenAPI document."""
    digest = service.folder / "openapi.digest"
    (service.folder / ".env").write_text(DEVELOPERS, "utf-8")
    about = service.folder / "app" / "about.toml"
    about.write_text(about.read_text("utf-8").replace('"Recipe API"', NAME), "utf-8")
    service.run(
        *("python", "-m", "pytest", "-q", "--maxfail", "5", "-p", "openapi_digest", "-m", marks),
        PYTHONPATH=str(PLUGINS),
        DATABASE_URL=f"{service.combination['database']}:///nowhere",
        DIGEST_FILE=str(digest),
        HYPOTHESIS_STORAGE_DIRECTORY=str(BUILD / "hypothesis"),
    )
    return digest.read_text("utf-8")


def _claim(document: str, combination: Combination) -> bool:
    """Tell whether this combination is the one that this document is tested with."""
    claim = BUILD / "documents" / forest().name / document
    claim.parent.mkdir(parents=True, exist_ok=True)
    try:
        with claim.open("x", encoding="utf-8") as file:
            file.write(combination.name)
    except FileExistsError:
        pass
    return claim.read_text("utf-8") == combination.name
