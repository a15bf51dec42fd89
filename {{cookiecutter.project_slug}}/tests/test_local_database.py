"""The PostgreSQL of one developer."""

from pathlib import Path

import pytest

from scripts import local_database


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
