"""Write missing secrets to ``.env``: ``python -m app.setup``."""

import sys
from functools import partial
from pathlib import Path
from secrets import token_urlsafe

from dotenv import set_key

from app.kit.auth.settings import AuthSettings
from app.kit.settings import read_settings

ENV_FILE = Path(".env")
RANDOM_BYTES = {"secret_key": 32, "first_superuser_password": 12}


def main() -> None:
    """Add each secret that neither the environment nor ``.env`` sets; keep the others."""
    # In local and with one worker, no secret is required.
    settings = read_settings(partial(AuthSettings, environment="local", workers=1))
    missing = [name.upper() for name in RANDOM_BYTES if getattr(settings, name) is None]
    for name in missing:
        write(name, token_urlsafe(RANDOM_BYTES[name.lower()]))
    sys.stdout.write(f"{' and '.join(missing) or 'No secret'} added to .env\n")


def write(name: str, value: str) -> None:
    """Set a variable in ``.env``; replace the file as a whole, readable by this user only.

    Write no quotes: ``docker --env-file`` would read them as part of the value.
    """
    ENV_FILE.touch(mode=0o600)
    ENV_FILE.chmod(0o600)
    set_key(ENV_FILE, name, value, quote_mode="never", follow_symlinks=True)


if __name__ == "__main__":
    main()
