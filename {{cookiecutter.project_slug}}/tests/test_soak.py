"""What `make soak` attacks."""

from pathlib import Path

import pytest

from app.core.config import Settings
from soak import service
from tests.conftest import ROOT


@pytest.mark.slow
def test_the_developers_settings_are_not_heeded(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("app", "migrations", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".env").write_text("MAX_BODY_SECONDS=no\n", encoding="utf-8")
    monkeypatch.setattr(service, "ROOT", tmp_path)
    monkeypatch.setenv("MAX_BODY_BYTES", "no")
    url = settings.database_url.render_as_string(hide_password=False)
    with service.serving(url) as running:
        assert running.is_ready()
