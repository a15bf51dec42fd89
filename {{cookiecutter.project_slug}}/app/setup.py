"""Write the secrets that are missing to ``.env``: ``python -m app.setup``."""

import sys
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory

from app.kit.auth.settings import AuthSettings
from app.kit.settings import read_settings

RANDOM_BYTES = {"secret_key": 32, "first_superuser_password": 12}


def main() -> None:
    """Add what neither the environment nor ``.env`` has; what is there stays as it is."""
    settings = read_settings(partial(AuthSettings, environment="local"))  # no secret is required
    missing = [name for name in RANDOM_BYTES if getattr(settings, name) is None]
    if missing:
        lines = [f"{name.upper()}={token_urlsafe(RANDOM_BYTES[name])}" for name in missing]
        append(Path(".env").resolve(), lines)
    names = " and ".join(name.upper() for name in missing) or "No secret"
    sys.stdout.write(f"{names} added to .env\n")


def append(file: Path, lines: list[str]) -> None:
    """Put the longer file in the place of the shorter one, whole, and for nobody else to read.

    Lines that name the same without a value go: who filled them in later would do so in vain.
    """
    text = file.read_bytes() if file.exists() else b""
    before = text.removesuffix(b"\n").split(b"\n") if text else []
    empty = {line.partition("=")[0].encode() for line in lines}
    kept = [line for line in before if line.removesuffix(b"=") not in empty]
    with TemporaryDirectory(dir=file.parent, prefix=".env.") as folder:
        new = Path(folder, file.name)
        new.touch(mode=0o600)
        new.write_bytes(b"\n".join([*kept, *(line.encode() for line in lines), b""]))
        new.replace(file)


if __name__ == "__main__":
    main()
