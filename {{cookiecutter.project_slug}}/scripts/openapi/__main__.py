"""The contract with clients: the OpenAPI document in ``openapi.json``, which git keeps.

``python -m scripts.openapi`` writes it. ``python -m scripts.openapi diff [<commit>]`` lists what the
code changes for clients of that commit (HEAD by default) and fails if it breaks them.
"""

import json
import subprocess
import sys
from typing import Any

from app.core.config import Settings
from app.kit.settings import read_settings
from app.main import create_app
from scripts.openapi.changes import breaking_changes
from scripts.openapi.document import FILE, ROOT, as_text

USAGE = "Use: python -m scripts.openapi, or python -m scripts.openapi diff [<commit>]."


def main(*arguments: str) -> None:
    """Write the document, or compare it with the one of a commit."""
    match arguments:
        case ():
            FILE.write_text(as_text(document()), "utf-8", newline="\n")
        case ("diff",):
            compare("HEAD")
        case ("diff", commit) if not commit.startswith("-"):
            compare(commit)
        case _:
            sys.exit(USAGE)


def document() -> dict[str, Any]:
    """Return the document of the code; settings of this machine do not change it."""
    return create_app(read_settings(documented_settings)).openapi()


def documented_settings() -> Settings:
    """Return the settings of ``.env.example``, which has all."""
    return Settings(_env_file=ROOT / ".env.example", environment="local", docs_enabled=True)


def compare(commit: str) -> None:
    """Print the changes since a commit that break clients; exit with 1 if there are any."""
    changes = breaking_changes(committed(commit), document())
    if changes:
        sys.exit("\n".join([*map(str, changes), f"{len(changes)} changes break clients."]))
    print(f"No change since {commit} breaks clients.")


def committed(commit: str) -> dict[str, Any]:
    """Return the document of a commit; exit with a sentence if it has none."""
    try:
        done = subprocess.run(
            ["git", "show", f"{commit}:./{FILE.name}"], cwd=ROOT, capture_output=True, check=False
        )
    except FileNotFoundError:
        sys.exit("Install git: it keeps the document that clients know.")
    if done.returncode:
        sys.exit(f"{commit} has no {FILE.name}: run `make openapi` and commit it.")
    return json.loads(done.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
