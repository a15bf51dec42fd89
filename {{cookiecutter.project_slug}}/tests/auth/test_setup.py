"""The secrets of a developer's machine."""

from pathlib import Path

import pytest

from app import setup
from app.core.config import load_settings
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name the file that is to be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "{{ cookiecutter.database }}:///x")
    return tmp_path / ".env"


def test_secrets_are_written_once_for_nobody_else_to_read(
    env: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.main()
    first = env.read_text()
    assert env.stat().st_mode & 0o777 == 0o600
    auth = load_settings().auth
    assert auth.secret_key
    assert auth.first_superuser_password
    said = capsys.readouterr().out
    assert said == "SECRET_KEY and FIRST_SUPERUSER_PASSWORD added to .env\n"
    setup.main()
    assert env.read_text() == first
    assert [path.name for path in env.parent.iterdir()] == [".env"]


def test_two_machines_get_other_secrets(env: Path) -> None:
    setup.main()
    first = set(env.read_text().splitlines())
    env.unlink()
    setup.main()
    assert not first & set(env.read_text().splitlines())


@pytest.mark.parametrize("end", ["", "\n"])
def test_other_lines_stay_and_values_win(env: Path, end: str) -> None:
    env.write_text(f"# mine\nPORT=9\nSECRET_KEY=\nfirst_superuser_password=correct horse{end}")
    setup.main()
    lines = env.read_text().splitlines()
    assert lines[:-1] == [
        "# mine",
        "PORT=9",
        "SECRET_KEY=",
        "first_superuser_password=correct horse",
    ]
    settings = load_settings()
    assert settings.auth.secret_key
    assert settings.auth.first_superuser_password
    assert settings.auth.first_superuser_password.get_secret_value() == "correct horse"
    assert settings.port == 9


def test_failure_leaves_the_file_as_it_was(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError

    env.write_text("PORT=9\n")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError):
        setup.main()
    assert env.read_text() == "PORT=9\n"
    assert list(env.parent.iterdir()) == [env]


def test_secret_that_cannot_work_is_told_and_kept(env: Path) -> None:
    env.write_text("SECRET_KEY=short\n")
    with pytest.raises(SystemExit, match="SECRET_KEY: must have at least 32 bytes"):
        setup.main()
    assert env.read_text() == "SECRET_KEY=short\n"


def test_git_ignores_the_file() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
