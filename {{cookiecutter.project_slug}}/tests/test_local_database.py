"""The PostgreSQL of one developer."""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.core.config import Settings
from scripts import local_database
from tests.postgresql import connect


@pytest.mark.parametrize("mode", [None, 0o600, 0o644])
def test_address_is_written_for_nobody_else_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int | None
) -> None:
    env = tmp_path / ".env"
    monkeypatch.setattr(local_database, "ENV_FILE", env)
    if mode:
        env.write_text("PORT=9\nDATABASE_URL=old\n")
        env.chmod(mode)
    local_database.write("postgresql://new")
    assert env.stat().st_mode & 0o777 == 0o600
    assert env.read_text().splitlines()[-1] == 'DATABASE_URL="postgresql://new"'
    assert env.read_text().count("DATABASE_URL") == 1
    assert env.read_text().startswith("PORT=9\n") == (mode is not None)


@pytest.mark.slow
def test_it_runs_in_a_folder_of_any_name() -> None:
    # Not in pytest's folders: see tests/postgresql.py.
    with TemporaryDirectory(prefix="a b&c;d+e#f%20g:h,i'j(k)-") as folder:
        Path(folder, "scripts").mkdir()
        shutil.copy(local_database.__file__, Path(folder, "scripts"))
        command = [sys.executable, "-m", "scripts.local_database"]
        subprocess.run([*command, "start"], cwd=folder, check=True)
        try:
            settings = Settings(_env_file=Path(folder, ".env"))
            with connect(settings.database_url) as execute:
                # Nobody else may reach it: it asks for no password.
                is_closed = "current_setting('unix_socket_permissions') = '0700'"
                execute(f"DO $$ BEGIN ASSERT {is_closed}; END $$")
        finally:
            subprocess.run([*command, "stop"], cwd=folder, check=True)
