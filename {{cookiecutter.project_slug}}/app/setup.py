"""Write the secrets that are missing to ``.env``: ``python -m app.setup``."""

import os
import sys
from pathlib import Path
from secrets import token_urlsafe
from tempfile import NamedTemporaryFile

from pydantic import ValidationError

from app.core.auth import AuthSettings
from app.core.environment import complaint

RANDOM_BYTES = {"secret_key": 32, "first_superuser_password": 12}


def main() -> None:
    """Add what neither the environment nor ``.env`` has; what is there stays as it is."""
    try:
        settings = AuthSettings()
    except ValidationError as error:
        raise SystemExit(complaint(error)) from None
    missing = [name for name in RANDOM_BYTES if getattr(settings, name) is None]
    if missing:
        lines = [f"{name.upper()}={token_urlsafe(RANDOM_BYTES[name])}" for name in missing]
        append(Path(".env").resolve(), lines)
    names = " and ".join(name.upper() for name in missing) or "No secret"
    sys.stdout.write(f"{names} added to .env\n")


def append(file: Path, lines: list[str]) -> None:
    """Put the file in its place whole, readable by nobody else."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    separator = "" if before.endswith("\n") or not before else "\n"
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=file.parent, prefix=".env.", delete=False
    ) as new:
        new.write(before + separator + "\n".join([*lines, ""]))
    os.replace(new.name, file)


if __name__ == "__main__":
    main()
